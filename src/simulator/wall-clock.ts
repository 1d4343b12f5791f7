/** When every simulation begins, milliseconds since 1970. */
export const START: number = Date.UTC(2026, 0, 1)

/** One machine's wall clock: off by something, running too fast or too slow, and set by hand now and then. */
export class WallClock {
  #since = 0
  #offsetMs = 0
  #rate = 1

  /** What the clock shows at `time` (virtual milliseconds), milliseconds since 1970. */
  read(time: number): number {
    return Math.floor(START + time + this.offsetMs(time))
  }

  /** How far it is ahead of true time. */
  offsetMs(time: number): number {
    return this.#offsetMs + (time - this.#since) * (this.#rate - 1)
  }

  /** From `time` on, off by `offsetMs` and running at `rate`. */
  set(time: number, offsetMs: number, rate = 1): void {
    this.#since = time
    this.#offsetMs = offsetMs
    this.#rate = rate
  }
}
