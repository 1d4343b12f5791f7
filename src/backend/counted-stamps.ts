import type { SessionRef } from '../session/session.js'
import type { SeenTokens } from './backend.js'
import type { SeenSealer } from './replicated/seen.js'

/**
 * Stamps of a backend that has one truth: what a browser has seen of a session is how many commits made it. A stamp's one
 * event is the session's how-manieth commit, under the actor of its birth.
 */
export class CountedStamps {
  readonly #seals: SeenSealer

  constructor(seals: SeenSealer) {
    this.#seals = seals
  }

  /** How many commits to the session the browser has seen. */
  commitsIn(seen: SeenTokens | undefined, birth: SessionRef): number {
    const dots = this.#seals.open(seen, birth)?.dots ?? []
    return dots.reduce((most, { actor, counter }) => (actor === birth.actor ? Math.max(most, counter) : most), 0)
  }

  /** What the browser is told where it has seen fewer; with `isLost`, also that what it has seen is no more. */
  sealed(birth: SessionRef, commits: number, seen: SeenTokens | undefined, isLost = false): SeenTokens | undefined {
    const stamp = { highest: commits, touchedAt: 0, dots: [{ actor: birth.actor, counter: commits }] }
    return this.#seals.seal(stamp, this.#seals.open(seen, birth), birth, isLost)
  }
}
