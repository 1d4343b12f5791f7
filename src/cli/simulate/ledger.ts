import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { addTotals, NO_SEEDS, type Totals } from '../../simulator/index.js'

/** What must be equal for two batches to add up. */
export interface BatchSettings {
  readonly nodes: number
  readonly minutes: number
  readonly stamps: boolean
}

/** One line: the seeds `from` to `to`, all of them, simulated by one commit. */
export interface Batch extends BatchSettings {
  readonly from: number
  readonly to: number
  readonly commit: string
  /** By the wall, seconds. */
  readonly durationS: number
  readonly failed: readonly number[]
  readonly totals: Totals
}

/** A file of batches that add up: simulations go on where the last one stopped. */
export class Ledger {
  readonly #path: string
  readonly #batches: Batch[]

  constructor(path: string) {
    this.#path = path
    const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
    this.#batches = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as Batch]))
  }

  /** The first seed that no batch with these settings has. */
  nextSeed(settings: BatchSettings): number {
    return this.#matching(settings).reduce((next, batch) => Math.max(next, batch.to + 1), 1)
  }

  total(settings: BatchSettings): Totals {
    return this.#matching(settings).reduce((sum, batch) => addTotals(sum, batch.totals), NO_SEEDS)
  }

  append(batch: Batch): void {
    this.#batches.push(batch)
    mkdirSync(dirname(this.#path), { recursive: true })
    appendFileSync(this.#path, `${JSON.stringify(batch)}\n`)
  }

  #matching({ nodes, minutes, stamps }: BatchSettings): readonly Batch[] {
    return this.#batches.filter(
      (batch) => batch.nodes === nodes && batch.minutes === minutes && batch.stamps === stamps,
    )
  }
}
