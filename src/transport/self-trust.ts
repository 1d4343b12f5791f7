/**
 * How much this node distrusts itself before it calls a peer silent: a process that is late for its own tick
 * may well have missed the peer's frames too (the local health of Lifeguard; Dadgar et al. 2018).
 */
export class SelfTrust {
  readonly #tickMs: number
  #lastTick: number
  #lagMs = 0

  constructor(tickMs: number, now: number) {
    this.#tickMs = tickMs
    this.#lastTick = now
  }

  /**
   * One tick at `now`. True: we slept through at least one whole tick, so silence since then proves nothing.
   */
  tick(now: number): boolean {
    const lag = Math.max(0, now - this.#lastTick - this.#tickMs)
    this.#lastTick = now
    // Rises at once, halves in about seven ticks.
    this.#lagMs = Math.max(lag, this.#lagMs * 0.9)
    return lag >= this.#tickMs
  }

  /** By how much every patience is multiplied: 1 when on time, one more per second of lag, at most 8. */
  get factor(): number {
    return Math.min(8, 1 + this.#lagMs / 1000)
  }
}
