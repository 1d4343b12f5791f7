import type { Dot, IdHash, SessionRecord } from '../../session/session.js'
import type { Context } from '../context.js'
import { Reserved, type Event, type Fragment, type IdEntry, type Register, type SessionBase } from '../events.js'
import type { Conflicts } from '../merge/conflicts.js'
import { applied, isBy, isNewTo, joined, valueBytes } from '../merge/register.js'
import { addId, dropIds, include, isIncluded, mergeIds } from './id-set.js'
import { maxIdleIn } from './packed-session.js'
import { registerOf, RegisterView, updated, type EncodeMerged } from './registers.js'
import type { ReadyContents } from './resting-sessions.js'
import { ShelvedSession, type Shelf } from './shelved-session.js'

/** What a session takes in from a live event; kills and revocations end sessions and are not for them. */
export type SessionEvent = Extract<Event, { type: 'create' | 'write' | 'rotate' }>

/** What merging changed about how a session is found. */
export interface IdChanges {
  readonly added: readonly IdHash[]
  readonly removed: readonly IdHash[]
}

const NO_CHANGE: IdChanges = { added: [], removed: [] }

/**
 * One session as mergeable state. Attributes are registers, each of which merges by its kind (merge/); ids are an
 * observed-remove set; `version` says which events of this session are included, so a fragment proves itself.
 *
 * A session that is not used is packed (WarmSessions), and lies where all such do (SessionTable): this is a way to look
 * at it. What cannot be said of packed bytes unpacks it for use; whoever walks over many sessions asks what can
 * (expiresAt, hasNewsFor, fragment, isOf). One that stands alone has its contents always ready.
 *
 * Arrays are replaced, never changed in place: a reader may keep one as its snapshot. They are made by what makes them
 * as long as they are (concat, with, slice): a literal with a spread and one element more has room for 17.
 */
export class SessionState extends ShelvedSession {
  /** One with nothing in it yet. Without a shelf it stands alone. */
  static begin(birth: Dot, slot = 0, handle = 0, shelf?: Shelf): SessionState {
    const session = new SessionState(birth, slot, handle, shelf)
    session.start()
    return session
  }

  get base(): SessionBase | undefined {
    return this.contents.base
  }

  get highest(): number {
    return this.contents.highest
  }

  get ids(): readonly IdEntry[] {
    return this.contents.ids
  }

  get removedIds(): readonly Dot[] {
    return this.contents.removedIds
  }

  get version(): readonly Dot[] {
    return this.contents.version
  }

  /** By name, ascending. */
  get registers(): readonly Register[] {
    return this.contents.registers
  }

  /** Whether events of `actor` up to `counter` are included. */
  includes(dot: Dot): boolean {
    return isIncluded(dot, this.contents.version)
  }

  /** Whether any attribute or id is, in part at least, what an event of `actor` made it. */
  showsWorkOf(actor: number): boolean {
    const { registers, ids } = this.contents
    return registers.some((register) => isBy(register, actor)) || ids.some(({ dot }) => dot.actor === actor)
  }

  register(name: string): Register | undefined {
    return registerOf(this.registers, name)
  }

  get principal(): Register | undefined {
    return registerOf(this.contents.registers, Reserved.principal)
  }

  /** Whether it is that principal's. */
  isOf(principal: string): boolean {
    const ready = this.ready
    if (ready === undefined) return this.packed.hasPrincipal(principal)
    return registerOf(ready.registers, Reserved.principal)?.value === principal
  }

  hasId(hash: IdHash): boolean {
    const ready = this.ready
    return ready === undefined ? this.packed.hasId(hash) : ready.ids.some((id) => id.hash === hash)
  }

  get maxIdleMs(): number {
    const ready = this.ready
    return ready === undefined ? this.packed.lifetimes().maxIdleMs : maxIdleIn(ready)
  }

  /** Takes note of an access. One in the future is a peer's clock, and counts as now. */
  touch(at: number, now: number): void {
    const { numbers } = this
    numbers.touchedAt = Math.max(numbers.touchedAt, Math.min(at, now))
  }

  /** Takes in one live event that is not included yet (rule A6). `known`: the events this replica has. */
  apply(event: SessionEvent, known: Context, conflicts?: Conflicts): IdChanges {
    const contents = this.changing()
    if (event.type === 'create') contents.base ??= event.base
    this.#update(contents, event.writes, (held, write) => {
      const register = applied(held, write, event)
      conflicts?.note(held, event, register)
      return register
    })
    const before = contents.ids
    if (event.type === 'rotate') dropIds(contents, event.drops, known)
    if (event.type !== 'write') addId(contents, { hash: event.id, dot: event.dot })
    include(contents, event.dot)
    contents.highest = Math.max(contents.highest, event.hlc)
    return before === contents.ids ? NO_CHANGE : idChanges(before, contents.ids)
  }

  /** Takes in what another replica holds of this session (rules F2, F3). */
  merge(from: Fragment, known: Context, conflicts?: Conflicts): IdChanges {
    const contents = this.changing()
    contents.base ??= from.base
    const { version } = contents
    this.#update(contents, from.registers, (held, other) => {
      const register = joined(held, other)
      if (conflicts !== undefined && !isIncluded(other.dot, version)) conflicts.note(held, other, register)
      return register
    })
    const before = contents.ids
    mergeIds(contents, from, known)
    for (const dot of from.version) include(contents, dot)
    contents.highest = Math.max(contents.highest, from.highest)
    return before === contents.ids ? NO_CHANGE : idChanges(before, contents.ids)
  }

  /** The whole session, or what is new to a replica that has `since` (rule F5: always with all ids). */
  fragment(since?: Context): Fragment {
    const { base, touchedAt, highest, ids, removedIds, version, registers } = this.seen()
    return {
      birth: this.birth,
      base,
      touchedAt,
      highest,
      ids,
      removedIds,
      version,
      registers: since === undefined ? registers : registers.filter((register) => isNewTo(register, since)),
    }
  }

  /** Whether a replica that has `since` lacks anything of this session (rule F5: also a pure removal counts). */
  hasNewsFor(since: Context): boolean {
    const ready = this.ready
    if (ready === undefined) return this.packed.version().some((dot) => !since.has(dot))
    return ready.version.some((dot) => !since.has(dot)) || ready.removedIds.some((dot) => !since.has(dot))
  }

  /** When the session ends if nobody touches it again, by what this node knows; Infinity = never. */
  get expiresAt(): number {
    const ready = this.ready
    if (ready === undefined) {
      const { createdAt, maxIdleMs, maxLifeMs } = this.packed.lifetimes()
      return Math.min(this.touchedAt + maxIdleMs, createdAt + maxLifeMs)
    }
    const { base } = ready
    if (base === undefined) return Infinity
    return Math.min(ready.touchedAt + maxIdleIn(ready), base.createdAt + base.maxLifeMs)
  }

  /** Whether its creating event is included; else the session is held, not served, and never packed. */
  get isComplete(): boolean {
    const ready = this.ready
    return ready === undefined || ready.base !== undefined
  }

  /** What a request reads: a snapshot that later events do not change. `encode` makes bytes of what was merged. */
  record(encode: EncodeMerged): SessionRecord {
    const contents = this.contents
    const { base, registers } = contents
    const { value: principal, hlc } = registerOf(registers, Reserved.principal) ?? {}
    const isOwned = typeof principal === 'string'
    return {
      createdAt: base?.createdAt ?? 0,
      lastAccessedAt: contents.touchedAt,
      maxIdleMs: maxIdleIn(contents),
      maxLifeMs: base?.maxLifeMs ?? Infinity,
      principal: isOwned ? principal : undefined,
      principalSince: isOwned ? hlc : undefined,
      attributes: new RegisterView(registers, encode),
    }
  }

  /** Changes registers, and counts the bytes of those that did change. */
  #update<T extends { readonly name: string }>(
    contents: ReadyContents,
    items: readonly T[],
    change: (held: Register | undefined, item: T) => Register,
  ): void {
    contents.registers = updated(contents.registers, items, (held, item) => {
      const register = change(held, item)
      if (register !== held) contents.bytes += valueBytes(register.value) - (held === undefined ? 0 : valueBytes(held.value))
      return register
    })
  }
}

function idChanges(before: readonly IdEntry[], after: readonly IdEntry[]): IdChanges {
  return {
    added: after.filter((id) => !before.includes(id)).map((id) => id.hash),
    removed: before.filter((id) => !after.includes(id)).map((id) => id.hash),
  }
}
