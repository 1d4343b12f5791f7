import type { Register } from '../events.js'
import { isMerged } from './register.js'
import { compareWritten, type Written } from './stamp-order.js'

/**
 * Counts writes of one attribute that did not know of each other: one of a peer that arrives where a later one was made.
 * Only where it was made, so that over all nodes every such pair counts once. `actor`: this process.
 */
export class Conflicts {
  readonly #actor: number
  /** The earlier write is lost: the later one wins. */
  overtaken = 0
  /** Both count: the attribute is of a kind that merges. */
  merged = 0

  constructor(actor: number) {
    this.#actor = actor
  }

  /** What this node held meets what it did not include yet, and becomes this. */
  note(held: Register | undefined, from: Written, becomes: Register): void {
    if (held?.dot.actor !== this.#actor || compareWritten(held, from) < 0) return
    if (isMerged(becomes.value) && becomes !== held) this.merged++
    else this.overtaken++
  }
}
