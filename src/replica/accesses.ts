import type { Dot } from '../session/session.js'
import type { Expiry } from './expiry.js'
import type { Roster } from './roster.js'
import type { ReplicaState } from './state.js'

/** Accesses on this node, and what becomes of those that come while its clock is in doubt. */
export class Accesses {
  readonly #state: ReplicaState
  readonly #roster: Roster
  readonly #expiry: Expiry
  /** Handles of sessions. */
  readonly #inDoubt = new Set<number>()

  constructor(state: ReplicaState, roster: Roster, expiry: Expiry) {
    this.#state = state
    this.#roster = roster
    this.#expiry = expiry
  }

  /** An access after the end, by what this node knows, is none: it would bring the session back. */
  touch(birth: Dot, at: number): void {
    const session = this.#state.live.get(birth)
    if (session === undefined) return
    if (this.#roster.isFenced) this.#inDoubt.add(session.handle)
    else if (at < session.expiresAt) this.#expiry.touch(session, at)
  }

  /** Accesses of a time when our clock was in doubt count from the moment on that it no longer is. */
  tick(now: number): void {
    if (this.#inDoubt.size === 0 || this.#roster.isFenced) return
    for (const birth of this.#state.live.births(this.#inDoubt)) this.touch(birth, now)
    this.#inDoubt.clear()
  }
}
