import type { Event } from '../../replica/events.js'
import type { Roster } from '../../replica/roster.js'
import type { ReplicaState } from '../../replica/state.js'
import { sameDot, type EndReason, type IdHash, type SessionRef } from '../../session/session.js'
import { birthText, inOrder } from '../births.js'
import { BoundedMap } from '../memory/bounded-map.js'

/** More than are made while one node does not hear of another. */
const MADE_MAX = 10_000
/** How long one whose maker is not there stays: news of an end that its maker knew of come sooner. */
const ORPHANED_AFTER_MS = 15_000
/** These ends are of one session, not of its id. */
const OF_ONE: ReadonlySet<EndReason> = new Set<EndReason>(['duplicate', 'expired'])

/**
 * Two nodes can make a session under one id that neither of them made, before they hear of each other: two processes that
 * take over the same records do. Everybody takes such an id for the session with the smaller birth. The other has to end, or
 * its turn would come when that one is logged out. Who made it ends it: anybody else may not have heard yet that the one
 * was over before the other began. Only where its maker is not there for long, another node does. A logout is of the id:
 * all that are known to have it by then end with it, and those that are made without knowledge of it as soon as their
 * makers hear.
 */
export class Duplicates {
  readonly #state: ReplicaState
  readonly #made = new BoundedMap<IdHash, SessionRef>(MADE_MAX)
  /** Ours, by the other session under its id, neither of which was made with knowledge of the other. */
  readonly #rivals = new BoundedMap<string, SessionRef>(MADE_MAX)
  /** Those that wait for their turn, by the one whose turn it is: as of the last tick, and what came since. */
  readonly #behind = new Map<string, SessionRef[]>()
  #orphanedSince: ReadonlyMap<string, number> = new Map()

  constructor(state: ReplicaState) {
    this.#state = state
  }

  /** A session was made here under an id that somebody else made. */
  made(hash: IdHash, ref: SessionRef): void {
    this.#made.set(hash, ref)
  }

  /** Events of another node, before they are taken in; answers which of ours were over before they began. */
  heard(events: readonly Event[]): readonly SessionRef[] {
    const over: SessionRef[] = []
    for (const event of events) {
      if (event.type !== 'create' || this.#state.context.has(event.dot)) continue
      const own = this.#made.get(event.id)
      if (own === undefined || !this.#state.live.has(own)) continue
      const end = this.#state.kills.get(event.birth)
      if (end === undefined) this.#rivals.set(birthText(event.birth), own)
      else if (!OF_ONE.has(end.reason)) over.push(own)
    }
    return over
  }

  /** A session of another node came; answers which one of ours gives way to it. */
  givesWayTo(ref: SessionRef): SessionRef | undefined {
    for (const { hash } of this.#state.live.get(ref)?.ids ?? []) {
      const first = this.#state.byId(hash)
      if (first !== undefined && !sameDot(first.birth, ref)) this.#waits(ref, first.birth)
      const own = this.#made.get(hash)
      if (own === undefined || sameDot(own, ref)) continue
      if (inOrder(ref, own) < 0 && this.#state.live.has(own)) return own
    }
    return undefined
  }

  /** A session ended, here where `local`; answers which others end with it. */
  endWith(ref: SessionRef, reason: EndReason, local: boolean): readonly SessionRef[] {
    const key = birthText(ref)
    const own = this.#rivals.get(key)
    const behind = this.#behind.get(key) ?? []
    this.#rivals.delete(key)
    this.#behind.delete(key)
    if (OF_ONE.has(reason)) return []
    const all = local ? [...behind] : []
    if (own !== undefined && !all.some((one) => sameDot(one, own))) all.push(own)
    return all.filter((one) => this.#state.live.has(one))
  }

  /** Those that nobody else will end. One node does: of those that hear each other, the one with the smallest actor. */
  orphans(roster: Roster, now: number): readonly SessionRef[] {
    this.#look()
    if (this.#behind.size === 0 && this.#orphanedSince.size === 0) return []
    const here = [roster.options.self.actor, ...roster.reachable(now).map(({ member }) => member.actor)]
    const since = new Map<string, number>()
    const over: SessionRef[] = []
    for (const birth of [...this.#behind.values()].flat()) {
      if (here.includes(birth.actor)) continue
      const at = this.#orphanedSince.get(birthText(birth)) ?? now
      since.set(birthText(birth), at)
      if (Math.abs(now - at) >= ORPHANED_AFTER_MS) over.push(birth)
    }
    this.#orphanedSince = since
    return roster.isReady && Math.min(...here) === here[0] ? over : []
  }

  /** Nearly always at nothing. */
  #look(): void {
    this.#behind.clear()
    for (const [first, session] of this.#state.waitingForIds()) this.#waits(session.birth, first.birth)
  }

  #waits(ref: SessionRef, first: SessionRef): void {
    const key = birthText(first)
    const behind = this.#behind.get(key)
    if (behind === undefined) this.#behind.set(key, [ref])
    else behind.push(ref)
  }
}
