import { elapsedMs } from './elapsed.js'

/** So many a second, and up to one second's worth at once. */
export class Rate {
  readonly #perSecond: number
  #left: number
  #at = -Infinity

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#left = perSecond
  }

  /** Whether one more may be now; if so, it counts. */
  take(now: number): boolean {
    const refill = (Math.max(0, elapsedMs(this.#at, now)) * this.#perSecond) / 1_000
    this.#left = Math.min(this.#perSecond, this.#left + refill)
    this.#at = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
