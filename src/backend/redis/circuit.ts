/** What opens and closes it, and what it tells. */
export interface CircuitOptions {
  /** Asks once whether the server answers again. Rejects where it does not. */
  readonly probe: () => Promise<unknown>
  readonly random: () => number
  readonly changed: (isOpen: boolean) => void
}

/** Failures in a row until nobody waits any more. */
const FAILURES_MAX = 5
const PROBE_FIRST_MS = 100
const PROBE_MAX_MS = 1_000

/**
 * Closed, calls go through. After some failures in a row it opens: calls fail at once instead of each waiting for its
 * deadline. While it is open a probe goes out now and then, and the first that is answered closes it; no request is
 * ever the guinea pig.
 */
export class Circuit {
  readonly #options: CircuitOptions
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #isOpen = false
  #isStopped = false
  #opened = 0

  constructor(options: CircuitOptions) {
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** How often it opened. */
  get opened(): number {
    return this.#opened
  }

  succeed(): void {
    this.#failures = 0
    if (!this.#isOpen) return
    this.#isOpen = false
    clearTimeout(this.#timer)
    this.#options.changed(false)
  }

  fail(): void {
    if (++this.#failures >= FAILURES_MAX) this.open()
  }

  open(): void {
    if (this.#isOpen || this.#isStopped) return
    this.#isOpen = true
    this.#opened++
    this.#options.changed(true)
    this.#probeAfter(PROBE_FIRST_MS)
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #probeAfter(ms: number): void {
    const jittered = ms * (0.5 + this.#options.random())
    this.#timer = setTimeout(() => void this.#probe(ms), jittered).unref()
  }

  async #probe(waitedMs: number): Promise<void> {
    try {
      await this.#options.probe()
      this.succeed()
    } catch {
      if (this.#isOpen && !this.#isStopped) this.#probeAfter(Math.min(waitedMs * 2, PROBE_MAX_MS))
    }
  }
}
