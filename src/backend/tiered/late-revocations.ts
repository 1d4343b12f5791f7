import type { SessionBackend } from '../backend.js'
import { BoundedMap } from '../memory/bounded-map.js'
import type { FarQueue } from './far-queue.js'

export interface LateRevocationsOptions {
  readonly far: SessionBackend
  readonly queue: FarQueue
  readonly now: () => number
}

const OPEN_MAX = 10_000
const PRINCIPAL = '\u0000principal'
/** Hybrid time: milliseconds since 2020 times 2,048, the same in every backend. */
const HLC_EPOCH_MS = Date.UTC(2020, 0, 1)
const HLC_PER_MS = 2_048

/** "Log out everywhere" that could not reach the far backend: ends later what was logged in by then, and nothing since. */
export class LateRevocations {
  readonly #options: LateRevocationsOptions
  readonly #open = new BoundedMap<string, number>(OPEN_MAX)

  constructor(options: LateRevocationsOptions) {
    this.#options = options
  }

  add(principal: string): void {
    this.#open.set(principal, (this.#options.now() + 1 - HLC_EPOCH_MS) * HLC_PER_MS)
  }

  async apply(): Promise<void> {
    const { queue } = this.#options
    try {
      for (const principal of Array.from(this.#open.keys())) {
        await this.#applyOne(principal, this.#open.get(principal) ?? 0)
        this.#open.delete(principal)
      }
    } catch (error) {
      // Recovering tries again.
      queue.failed(error)
    }
  }

  async #applyOne(principal: string, until: number): Promise<void> {
    const { far, queue } = this.#options
    for (const ref of await far.find(principal)) {
      const session = await far.exportOne(ref)
      const since = session?.registers.find(({ name }) => name === PRINCIPAL)?.hlc ?? Infinity
      if (since < until) queue.kill(ref, 'logged-out')
    }
  }
}
