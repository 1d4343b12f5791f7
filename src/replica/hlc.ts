/**
 * Hybrid logical clock (Kulkarni et al. 2014): close to wall time, never backwards, greater than all it has seen.
 * One number: milliseconds since 2020 times 2,048, plus a counter; exact in a double until the year 2159.
 */
const EPOCH_MS = Date.UTC(2020, 0, 1)
const PER_MS = 2048

/** The lowest hybrid time of a wall-clock moment (milliseconds since 1970). */
export function hlcAt(wallMs: number): number {
  return Math.max(0, Math.floor(wallMs) - EPOCH_MS) * PER_MS
}

/** The wall-clock part of a hybrid time, milliseconds since 1970. */
export function wallOf(hlc: number): number {
  return Math.floor(hlc / PER_MS) + EPOCH_MS
}

export class HybridClock {
  #last = 0

  get last(): number {
    return this.#last
  }

  /** A time for a new event at `now`: greater than every time given out or observed before. */
  next(now: number): number {
    this.#last = Math.max(this.#last + 1, hlcAt(now))
    return this.#last
  }

  /** Takes note of a time that another node gave out. */
  observe(hlc: number): void {
    if (hlc > this.#last) this.#last = hlc
  }
}
