import { addTotals, NO_SEEDS, totalsOf, type SeedResult, type Totals } from '../../simulator/index.js'
import type { Ledger } from './ledger.js'
import type { SimulateOptions } from './options.js'
import { runOnCores, type WorkerAnswer } from './pool.js'

export interface BatchHost {
  readonly now: () => number
  readonly commit: string
  progress(done: number, totals: Totals): void
}

/** Seeds per line of the ledger. */
const LINE_SEEDS = 50

/** Many seeds on all cores, kept in order, written to the ledger as soon as a range of them is complete. */
export class BatchRun {
  readonly #options: SimulateOptions
  readonly #ledger: Ledger | undefined
  readonly #host: BatchHost
  readonly #from: number
  readonly #ready = new Map<number, WorkerAnswer>()
  #next: number
  #isStopped = false
  #totals = NO_SEEDS
  #failure: SeedResult | undefined = undefined
  /** First seed that is not in the ledger, and what is complete from there on. */
  #lineFrom: number
  #lineTo: number
  #line = NO_SEEDS
  #lineFailed: number[] = []
  #lineAt: number

  constructor(options: SimulateOptions, from: number, ledger: Ledger | undefined, host: BatchHost) {
    this.#options = options
    this.#ledger = ledger
    this.#host = host
    this.#from = from
    this.#next = from
    this.#lineFrom = from
    this.#lineTo = from - 1
    this.#lineAt = host.now()
  }

  get totals(): Totals {
    return this.#totals
  }

  /** The first seed that broke a promise. */
  get failure(): SeedResult | undefined {
    return this.#failure
  }

  /** No further seeds; what is under way comes to its end. */
  stop(): void {
    this.#isStopped = true
  }

  async run(): Promise<void> {
    const { seeds, workers } = this.#options
    await runOnCores(
      Math.min(workers, seeds),
      () => this.#take(),
      (answer) => this.#done(answer),
    )
    this.#writeLine()
  }

  #take():
    | { readonly seed: number; readonly nodes: number; readonly minutes: number; readonly stamps: boolean }
    | undefined {
    const { seeds, nodes, minutes, stamps } = this.#options
    if (this.#isStopped || this.#next >= this.#from + seeds) return undefined
    return { seed: this.#next++, nodes, minutes, stamps }
  }

  #done(answer: WorkerAnswer): void {
    const { result, workMs } = answer
    this.#totals = addTotals(this.#totals, totalsOf(result, workMs))
    this.#host.progress(this.#totals.seeds, this.#totals)
    if (result.failure !== undefined && (this.#failure === undefined || result.seed < this.#failure.seed)) {
      this.#failure = result
      this.stop()
    }
    this.#ready.set(result.seed, answer)
    for (
      let next = this.#ready.get(this.#lineTo + 1);
      next !== undefined;
      next = this.#ready.get(this.#lineTo + 1)
    ) {
      this.#ready.delete(++this.#lineTo)
      this.#line = addTotals(this.#line, totalsOf(next.result, next.workMs))
      if (next.result.failure !== undefined) this.#lineFailed.push(next.result.seed)
      if (this.#line.seeds >= LINE_SEEDS) this.#writeLine()
    }
  }

  #writeLine(): void {
    if (this.#line.seeds === 0) return
    const { nodes, minutes, stamps } = this.#options
    const now = this.#host.now()
    this.#ledger?.append({
      from: this.#lineFrom,
      to: this.#lineTo,
      commit: this.#host.commit,
      nodes,
      minutes,
      stamps,
      durationS: Math.round((now - this.#lineAt) / 1000),
      failed: this.#lineFailed,
      totals: this.#line,
    })
    this.#lineFrom = this.#lineTo + 1
    this.#line = NO_SEEDS
    this.#lineFailed = []
    this.#lineAt = now
  }
}
