/** Waiting for answers, no longer than somebody is willing to. */

/** Being held up, however long, takes one of these. */
const PARTS = 4

/**
 * Calls `late` once so many milliseconds have passed in which this process could have heard an answer. One that was held
 * up (no CPU to be had, a long collection, a machine asleep) finds its timers due before it has read what came meanwhile,
 * or has even sent the question. So the time is waited for in parts, of which being held up takes one, and before the
 * verdict all connections are read once more.
 */
export class Patience {
  readonly #late: () => void
  readonly #timer: NodeJS.Timeout
  #verdict: NodeJS.Immediate | undefined
  #passed = 0

  constructor(ms: number, late: () => void) {
    this.#late = late
    this.#timer = setTimeout(() => this.#partPassed(), ms / PARTS)
  }

  /** The answer is there. */
  end(): void {
    clearTimeout(this.#timer)
    if (this.#verdict !== undefined) clearImmediate(this.#verdict)
  }

  #partPassed(): void {
    this.#passed++
    if (this.#passed < PARTS) this.#timer.refresh()
    else this.#verdict = setImmediate(this.#late)
  }
}

/** The promise's outcome, or the error that `late` makes when it takes longer. */
export async function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  let patience: Patience | undefined
  const timeout = new Promise<never>((_, reject) => {
    patience = new Patience(ms, () => reject(late()))
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    patience?.end()
  }
}
