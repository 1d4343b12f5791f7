import type { Dot, EndReason, IdHash } from '../session/session.js'
import { DotMap } from './dot-map.js'
import { elapsedMs } from './elapsed.js'
import type { Event } from './events.js'
import type { Roster } from './roster.js'
import type { SessionState } from './sessions/session-state.js'
import type { ReplicaState } from './state.js'

/** How long one whose maker is not there stays, milliseconds: news of an end that its maker knew of come sooner. */
const ORPHANED_AFTER_MS = 15_000
/** These ends are of one session, not of its id. */
const OF_ONE: ReadonlySet<EndReason> = new Set<EndReason>(['duplicate', 'expired'])

/**
 * Two nodes can make a session under one id that neither of them made, before they hear of each other: two processes that
 * take over the same records do. Everybody takes such an id for the session with the smallest birth. The others have to
 * end, or their turn would come when that one is logged out. Who made one ends it: anybody else may not have heard yet
 * that the smaller was over before the other began. Only where its maker is not there for long, another node does. A
 * logout is of the id: all that are known to have it by then end with it, and those that are made without knowledge of it
 * as soon as their makers hear.
 */
export class Duplicates {
  readonly #state: ReplicaState
  readonly #roster: Roster
  readonly #kill: (birth: Dot, reason: EndReason) => void
  /** Sessions to end once the present step is through. */
  #over: { readonly birth: Dot; readonly reason: EndReason }[] = []
  /** A session came that may have an id of ours. */
  #isNews = false
  #orphanedSince = new DotMap<number>()

  constructor(state: ReplicaState, roster: Roster, kill: (birth: Dot, reason: EndReason) => void) {
    this.#state = state
    this.#roster = roster
    this.#kill = kill
  }

  /** An event of another node, before it is taken in: what it creates may be over already, and with it our own. */
  hears(event: Event): void {
    if (event.type !== 'create' || this.#state.context.has(event.dot)) return
    const end = this.#state.kills.get(event.birth)
    if (end !== undefined) this.#endsWith(event.id, end.reason, false)
  }

  /** A session that another node made came. */
  came(): void {
    this.#isNews = true
  }

  /** A session ended, by this node where `local`. */
  ended({ ids }: SessionState, reason: EndReason, local: boolean): void {
    for (const { hash } of ids) this.#endsWith(hash, reason, local)
  }

  /** Before a session is made here under an id: who has it still, though it is logged out, ends first. */
  makesRoom(hash: IdHash): void {
    const holder = this.#state.byId(hash)
    if (holder !== undefined && this.#state.isRevoked(holder)) this.#kill(holder.birth, 'logged-out')
  }

  /** Ends what has to end, once a step is through. While our clock is in doubt we make no events: it waits. */
  settle(): void {
    if ((!this.#isNews && this.#over.length === 0) || this.#roster.isFenced) return
    if (this.#isNews) {
      for (const [, waits] of this.#state.waitingForIds()) if (this.#isOwn(waits)) this.#ends(waits, 'duplicate')
    }
    // Each end may be one of others.
    for (const { birth, reason } of this.#over) if (this.#state.live.has(birth)) this.#kill(birth, reason)
    this.#over = []
    this.#isNews = false
  }

  /** Those that nobody else will end. One node does: of those that hear each other, the one with the smallest actor. */
  tick(now: number): void {
    if (!this.#state.hasContestedIds && this.#orphanedSince.size === 0) return
    const since = new DotMap<number>()
    for (const [, waits] of this.#state.waitingForIds()) {
      if (this.#isHere(waits.birth.actor, now)) continue
      const at = this.#orphanedSince.get(waits.birth) ?? now
      since.set(waits.birth, at)
      if (elapsedMs(at, now) >= ORPHANED_AFTER_MS && this.#isFirst(now)) this.#ends(waits, 'duplicate')
    }
    this.#orphanedSince = since
  }

  /** The others that have the id, or (where another node ended it) those of them that we made. */
  #endsWith(hash: IdHash, reason: EndReason, local: boolean): void {
    if (OF_ONE.has(reason)) return
    const first = this.#state.byId(hash)
    if (first === undefined) return
    const waiting = [...this.#state.waitingForIds()].flatMap(([head, waits]) => (head.handle === first.handle ? [waits] : []))
    for (const holder of [first, ...waiting]) if (local || this.#isOwn(holder)) this.#ends(holder, reason)
  }

  #ends({ birth }: SessionState, reason: EndReason): void {
    this.#over.push({ birth, reason })
  }

  #isOwn({ birth }: SessionState): boolean {
    return birth.actor === this.#roster.options.self.actor
  }

  #isHere(actor: number, now: number): boolean {
    return actor === this.#roster.options.self.actor || this.#reachable(now).includes(actor)
  }

  #isFirst(now: number): boolean {
    const { actor } = this.#roster.options.self
    return this.#roster.isReady && this.#reachable(now).every((other) => actor < other)
  }

  #reachable(now: number): readonly number[] {
    return this.#roster.reachable(now).map(({ member }) => member.actor)
  }
}
