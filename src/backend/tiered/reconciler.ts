import type { Log } from '../../log.js'
import type { PortableSession, SessionBackend } from '../backend.js'
import { eachOf } from './answers.js'
import type { EndedRefs } from './ended-refs.js'
import type { FarQueue } from './far-queue.js'
import type { FarReader } from './far-reader.js'

export interface ReconcilerOptions {
  readonly near: SessionBackend
  readonly far: SessionBackend
  readonly queue: FarQueue
  readonly reader: FarReader
  readonly ended: EndedRefs
  readonly log: Log
  readonly warmUpMax: number
  /** What the near backend holds may be older than what the far one does, because others write there alone. */
  readonly bothAlways: boolean
}

const AT_ONCE = 16

/** Walks over everything, where following single changes cannot tell: at start, and after an outage. */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #counts = { runs: 0, warmed: 0 }
  #isComplete = false
  #running: Promise<void> | undefined
  #completing: Promise<void> | undefined
  #again = false

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Whether the near backend has held everything that the far one holds. From then on it knows of every change. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** At start: brings over what only the far backend holds, if that is not too much. */
  async warmUp(): Promise<void> {
    const { near, far, log, warmUpMax } = this.#options
    try {
      await near.ready()
    } catch {
      return
    }
    const { sessions } = far.size()
    if (sessions <= warmUpMax) await this.complete()
    else log('info', 'far-not-warmed', { sessions, limit: warmUpMax, detail: 'sessions are brought over as they are asked for' })
  }

  /** Brings over what only the far backend holds, as far as it answers. */
  async complete(): Promise<void> {
    if (this.#isComplete) return
    this.#completing ??= this.#toNear()
      .catch((error: unknown) => this.#options.queue.failed(error))
      .finally(() => {
        this.#completing = undefined
      })
    await this.#completing
  }

  /** Makes both hold the same, whatever either lost. One run at a time; asked for meanwhile, once more. */
  async run(): Promise<void> {
    this.#again = true
    this.#running ??= this.#runAll().finally(() => {
      this.#running = undefined
    })
    await this.#running
  }

  counters(): Readonly<Record<string, number>> {
    return {
      session_mesh_far_reconciliations_total: this.#counts.runs,
      session_mesh_far_warmed_total: this.#counts.warmed,
      session_mesh_far_complete: this.#isComplete ? 1 : 0,
    }
  }

  async #runAll(): Promise<void> {
    const { near, far, queue } = this.#options
    while (this.#again) {
      this.#again = false
      try {
        if ((await near.digest()) !== (await far.digest())) {
          await this.#toFar()
          await this.#toNear()
        } else this.#isComplete = true
        this.#counts.runs++
      } catch (error) {
        // Recovering starts the next run.
        queue.failed(error)
      }
    }
  }

  /** The queue merges them, one after the other, a bounded number at once. */
  async #toFar(): Promise<void> {
    const { near, queue } = this.#options
    await eachOf(near.exportAll(), AT_ONCE, async ({ birth }) => {
      queue.note(birth)
      const sent = await queue.push(birth, Infinity)
      if (sent === 'failed' && queue.isDown) throw new Error('the far backend went away during a reconciliation')
    })
  }

  async #toNear(): Promise<void> {
    const { near, far, reader, ended, queue, log, bothAlways } = this.#options
    let seen = 0
    await eachOf(far.exportAll(), AT_ONCE, async (session: PortableSession) => {
      seen++
      const isHeld = !ended.has(session.birth) && (await near.read(session.birth)) !== undefined
      if (isHeld && !bothAlways) return
      // What requests changed goes first.
      if (queue.isBehind) await queue.caughtUp()
      if ((await reader.take(session)) === 'held' && !isHeld) this.#counts.warmed++
    })
    this.#isComplete = true
    queue.answered()
    if (seen > 0) log('info', 'far-warmed', { sessions: seen })
  }
}
