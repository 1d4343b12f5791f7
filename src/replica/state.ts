import type { Dot, EndReason, IdHash } from '../session/session.js'
import { Context } from './context.js'
import { DotMap } from './dot-map.js'
import type { Event, Fragment, Kill, Revocation } from './events.js'
import { HybridClock } from './hlc.js'
import { Conflicts } from './merge/conflicts.js'
import { Recent } from './recent.js'
import { IdTable, type Former } from './sessions/id-table.js'
import { PrincipalTable } from './sessions/principal-table.js'
import type { IdChanges, SessionEvent, SessionState } from './sessions/session-state.js'
import { SessionTable } from './sessions/session-table.js'

/** Hears what changed, as it changes. */
export interface StateListener {
  changed(session: SessionState, what: 'created' | 'changed' | 'rotated'): void
  ended(session: SessionState, reason: EndReason): void
}

interface KillRecord extends Kill {
  readonly storedAt: number
}

/** Revocations kept; the oldest are forgotten beyond it (they matter only to sessions that were on their way). */
const REVOCATIONS_MAX = 10_000

const NOBODY = 0

/**
 * Everything one replica holds, and the rules by which it grows: live events (A1-A6), fragments (F1-F5), kills
 * (A3, S7, G1). Presence of a session is witnessed by its birth alone, so a session that was known and is not held is
 * dead, and nothing that arrives later can bring it back (remove-wins; Bieniusa et al. 2012 without tombstones).
 */
export class ReplicaState {
  readonly context = new Context()
  readonly clock = new HybridClock()
  readonly live: SessionTable
  readonly recent = new Recent()
  readonly kills = new DotMap<KillRecord>()
  /** Per actor: kill records of its kills up to here may have been forgotten, here or where this was learned. */
  readonly floor = new Map<number, number>()
  readonly revocations = new Map<string, Revocation>()
  readonly conflicts: Conflicts
  /** Handles of sessions held whose principal was revoked and whose kill has not arrived. */
  readonly revoked = new Set<number>()
  /** Accesses that peers report as later than this are noted as this: one clock that is ahead prolongs nothing. */
  latestTouch = Infinity
  readonly #ids: IdTable
  readonly #principals: PrincipalTable
  readonly #listener: StateListener
  #bytes = 0

  /**
   * `warmMax`: sessions used lately that are kept ready; the others are packed. `conflicts`: counts those of its process.
   * `seed`: nobody outside knows it.
   */
  constructor(listener: StateListener, warmMax: number, conflicts: Conflicts = new Conflicts(NOBODY), seed = NOBODY) {
    this.#listener = listener
    this.live = new SessionTable(warmMax)
    this.#ids = new IdTable(this.live, seed)
    this.#principals = new PrincipalTable(this.live, seed)
    this.conflicts = conflicts
  }

  /** Bytes of all values held. */
  get bytes(): number {
    return this.#bytes
  }

  byId(hash: IdHash): SessionState | undefined {
    return this.#ids.get(hash)
  }

  get hasContestedIds(): boolean {
    return this.#ids.hasContested
  }

  /** Sessions that hold an id which names another one, each after that one. */
  waitingForIds(): Iterable<readonly [first: SessionState, waits: SessionState]> {
    return this.#ids.waiting()
  }

  byPrincipal(principal: string): readonly SessionState[] {
    return Array.from(this.#principals.of(principal), (slot) => this.live.at(slot))
  }

  /** Why the id names nothing any more, within the grace time. */
  formerly(hash: IdHash): Former | undefined {
    return this.#ids.former(hash)
  }

  /** Once dead, dead for good: the context only grows. */
  isDead(birth: Dot): boolean {
    return this.kills.has(birth) || (this.context.has(birth) && !this.live.has(birth))
  }

  /** Whether "log out everywhere" covers the session: its principal was set at or before the revocation. */
  isRevoked(session: SessionState): boolean {
    if (this.revocations.size === 0) return false
    const principal = session.principal
    if (principal === undefined || typeof principal.value !== 'string') return false
    const revocation = this.revocations.get(principal.value)
    return revocation !== undefined && principal.hlc <= revocation.hlc
  }

  /** Takes in one event of a peer or our own. `gap`: an earlier event of its actor is missing, nothing was done. */
  apply(event: Event, now: number): 'applied' | 'known' | 'gap' {
    const { dot } = event
    if (this.context.has(dot)) return 'known'
    if (dot.counter !== this.context.base(dot.actor) + 1) return 'gap'
    this.clock.observe(event.hlc)
    switch (event.type) {
      case 'kill':
        this.#end({ birth: event.birth, dot, reason: event.reason }, now)
        break
      case 'revoke':
        this.#revoke({ principal: event.principal, hlc: event.hlc, dot })
        break
      case 'create':
      case 'write':
      case 'rotate':
        this.#applyToSession(event, now)
        break
    }
    this.context.add(dot)
    if (event.type !== 'revoke') this.recent.note(dot, event.birth)
    return 'applied'
  }

  /** Merges what a peer holds of one session. Idempotent. Answers whether the session is alive here afterwards. */
  merge(fragment: Fragment, now: number): boolean {
    const held = this.live.get(fragment.birth)
    if (held === undefined && this.isDead(fragment.birth)) {
      for (const { hash } of fragment.ids) this.#ids.note(hash, 'gone', now)
      return false
    }
    if (held !== undefined && !isNews(held, fragment)) {
      held.touch(fragment.touchedAt, this.latestTouch)
      for (const dot of proven(held, fragment)) this.context.add(dot)
      return true
    }
    const session = held ?? this.live.begin(fragment.birth)
    const wasComplete = session.isComplete
    this.clock.observe(fragment.highest)
    session.touch(fragment.touchedAt, this.latestTouch)
    const ids = this.#update(session, now, () => session.merge(fragment, this.context, this.conflicts))
    for (const dot of proven(session, fragment)) this.context.add(dot)
    const what = !wasComplete ? 'created' : ids.added.length > 0 ? 'rotated' : 'changed'
    if (session.isComplete) this.#listener.changed(session, what)
    return true
  }

  /** Takes in the news of a death that is not an event of its own: a kill record of a peer, or a known absence. */
  bury(kill: Kill, now: number): void {
    this.#end(kill, now)
    this.context.add(kill.dot ?? kill.birth)
  }

  /** Takes in a revocation out of a sync round. */
  revoke(revocation: Revocation): void {
    this.clock.observe(revocation.hlc)
    this.#revoke(revocation)
    this.context.add(revocation.dot)
  }

  /** Joins what another replica may have forgotten about kills (rule S5). */
  joinFloor(floor: readonly Dot[]): void {
    for (const { actor, counter } of floor) this.#raiseFloor(actor, counter)
  }

  /** Forgets kill records older than `before`, as far as forgetting is safe (rule G1); at most `keep` stay. */
  forgetKills(before: number, keep: number): void {
    let excess = this.kills.size - keep
    for (const record of this.kills.values()) {
      if (record.storedAt >= before && excess <= 0) continue
      if (!this.context.has(record.birth)) continue
      this.kills.delete(record.birth)
      if (record.dot !== null) this.#raiseFloor(record.dot.actor, record.dot.counter)
      excess--
    }
  }

  /** Forgets which ids were dropped before `before`: from then on they are simply unknown. */
  forgetFormerIds(before: number): void {
    this.#ids.forget(before)
  }

  #applyToSession(event: SessionEvent, now: number): void {
    const held = this.live.get(event.birth)
    if (held === undefined && this.isDead(event.birth)) {
      if (event.type !== 'write') this.#ids.note(event.id, 'gone', now)
      return
    }
    const session = held ?? this.live.begin(event.birth)
    if (session.includes(event.dot)) return
    const wasComplete = session.isComplete
    session.touch(event.touchedAt, this.latestTouch)
    this.#update(session, now, () => session.apply(event, this.context, this.conflicts))
    if (!session.isComplete) return
    this.#listener.changed(session, !wasComplete ? 'created' : event.type === 'rotate' ? 'rotated' : 'changed')
  }

  /** Changes a session and keeps every index right. */
  #update(session: SessionState, now: number, change: () => IdChanges): IdChanges {
    const principal = session.principal?.value
    this.#bytes -= session.bytes
    const ids = change()
    this.#bytes += session.bytes
    for (const hash of ids.added) this.#ids.link(hash, session)
    for (const hash of ids.removed) this.#ids.unlink(hash, session, 'rotated', now)
    if (session.principal?.value !== principal) {
      this.#unlinkPrincipal(principal, session)
      this.#linkPrincipal(session.principal?.value, session)
    }
    if (this.isRevoked(session)) this.revoked.add(session.handle)
    else if (this.revoked.size > 0) this.revoked.delete(session.handle)
    return ids
  }

  #end(kill: Kill, now: number): void {
    const session = this.live.get(kill.birth)
    if (session === undefined && this.isDead(kill.birth)) return
    this.kills.set(kill.birth, { ...kill, storedAt: now })
    if (session === undefined) return
    session.leave()
    this.revoked.delete(session.handle)
    this.#bytes -= session.bytes
    for (const { hash } of session.ids) this.#ids.unlink(hash, session, 'gone', now)
    this.#unlinkPrincipal(session.principal?.value, session)
    this.live.end(session)
    this.#listener.ended(session, kill.reason)
  }

  #revoke(revocation: Revocation): void {
    const held = this.revocations.get(revocation.principal)
    if (held !== undefined && held.hlc >= revocation.hlc) return
    this.revocations.delete(revocation.principal)
    this.revocations.set(revocation.principal, revocation)
    for (const principal of this.revocations.keys()) {
      if (this.revocations.size <= REVOCATIONS_MAX) break
      this.revocations.delete(principal)
    }
    for (const session of this.byPrincipal(revocation.principal)) {
      if (this.isRevoked(session)) this.revoked.add(session.handle)
    }
  }

  #raiseFloor(actor: number, counter: number): void {
    if (counter > (this.floor.get(actor) ?? 0)) this.floor.set(actor, counter)
  }

  #linkPrincipal(principal: unknown, { slot }: SessionState): void {
    if (typeof principal === 'string') this.#principals.link(principal, slot)
  }

  #unlinkPrincipal(principal: unknown, { slot }: SessionState): void {
    if (typeof principal === 'string') this.#principals.unlink(principal, slot)
  }
}

/** Whether the fragment includes an event that is not included yet. */
function isNews(held: SessionState, fragment: Fragment): boolean {
  return (
    (held.base === undefined && fragment.base !== undefined) ||
    fragment.version.some((dot) => !held.includes(dot)) ||
    fragment.removedIds.some((dot) => !held.removedIds.includes(dot))
  )
}

/** The events that a merged fragment proves to be included (rule F4). The birth only where its event is among them. */
function proven(session: SessionState, fragment: Fragment): Dot[] {
  const dots = [...fragment.version, ...fragment.ids.map((id) => id.dot), ...fragment.registers.map((r) => r.dot)]
  if (session.isComplete) dots.push(session.birth)
  return dots
}
