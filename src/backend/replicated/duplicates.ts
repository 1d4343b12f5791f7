import type { ReplicaState } from '../../replica/state.js'
import { sameDot, type IdHash, type SessionRef } from '../../session/session.js'
import { inOrder } from '../births.js'
import { BoundedMap } from '../memory/bounded-map.js'

/** More than are made while one node does not hear of another. */
const MADE_MAX = 10_000

/**
 * Two nodes can make a session under one id that neither of them made, before they hear of each other: two processes that
 * take over the same records do. Everybody takes such an id for the session with the smaller birth. The other has to end, or
 * its turn would come when that one is logged out. Who made it ends it: anybody else may not have heard yet that the one
 * was over before the other began.
 */
export class Duplicates {
  readonly #state: ReplicaState
  readonly #made = new BoundedMap<IdHash, SessionRef>(MADE_MAX)

  constructor(state: ReplicaState) {
    this.#state = state
  }

  /** A session was made here under an id that somebody else made. */
  made(hash: IdHash, ref: SessionRef): void {
    this.#made.set(hash, ref)
  }

  /** A session of another node came; answers which one of ours gives way to it. */
  givesWayTo(ref: SessionRef): SessionRef | undefined {
    for (const { hash } of this.#state.live.get(ref)?.ids ?? []) {
      const own = this.#made.get(hash)
      if (own === undefined || sameDot(own, ref)) continue
      if (inOrder(ref, own) < 0 && this.#state.live.has(own)) return own
    }
    return undefined
  }
}
