import { sameDot, type Dot, type IdHash, type SessionRecord } from '../session/session.js'
import { Context } from './context.js'
import { Reserved, type Event, type Fragment, type IdEntry, type Register, type SessionBase } from './events.js'
import { applied, isBy, isNewTo, joined, valueBytes } from './merge/register.js'
import { registerOf, RegisterView, updated, type EncodeMerged } from './registers.js'

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
 * Arrays are replaced, never changed in place: a reader may keep one as its snapshot. They are made by what makes them
 * as long as they are (concat, with, slice): a literal with a spread and one element more has room for 17.
 */
export class SessionState {
  readonly birth: Dot
  base: SessionBase | undefined = undefined
  touchedAt = 0
  /** The last access that peers were told of. */
  announcedAt = 0
  highest = 0
  ids: readonly IdEntry[] = []
  removedIds: readonly Dot[] = []
  version: readonly Dot[] = []
  /** By name, ascending. */
  registers: readonly Register[] = []
  /** Of all values together. */
  bytes = 0

  constructor(birth: Dot) {
    this.birth = birth
  }

  /** Whether events of `actor` up to `counter` are included. */
  includes(dot: Dot): boolean {
    return this.version.some((entry) => entry.actor === dot.actor && entry.counter >= dot.counter)
  }

  /** Whether any attribute or id is, in part at least, what an event of `actor` made it. */
  showsWorkOf(actor: number): boolean {
    return (
      this.registers.some((register) => isBy(register, actor)) || this.ids.some(({ dot }) => dot.actor === actor)
    )
  }

  register(name: string): Register | undefined {
    return registerOf(this.registers, name)
  }

  get principal(): Register | undefined {
    return this.register(Reserved.principal)
  }

  get maxIdleMs(): number {
    const changed = this.register(Reserved.maxIdleMs)?.value
    return typeof changed === 'number' ? changed : (this.base?.maxIdleMs ?? Infinity)
  }

  /** Takes note of an access. One in the future is a peer's clock, and counts as now. */
  touch(at: number, now: number): void {
    this.touchedAt = Math.max(this.touchedAt, Math.min(at, now))
  }

  /** Takes in one live event that is not included yet (rule A6). `known`: the events this replica has. */
  apply(event: SessionEvent, known: Context): IdChanges {
    if (event.type === 'create') this.base ??= event.base
    this.#update(event.writes, (held, write) => applied(held, write, event))
    const before = this.ids
    if (event.type === 'rotate') this.#dropIds(event.drops, known)
    if (event.type !== 'write') this.#addId({ hash: event.id, dot: event.dot })
    this.#include(event.dot)
    this.highest = Math.max(this.highest, event.hlc)
    return before === this.ids ? NO_CHANGE : idChanges(before, this.ids)
  }

  /** Takes in what another replica holds of this session (rules F2, F3). */
  merge(from: Fragment, known: Context): IdChanges {
    this.base ??= from.base
    this.#update(from.registers, joined)
    const before = this.ids
    this.#mergeIds(from, known)
    for (const dot of from.version) this.#include(dot)
    this.highest = Math.max(this.highest, from.highest)
    return before === this.ids ? NO_CHANGE : idChanges(before, this.ids)
  }

  /** The whole session, or what is new to a replica that has `since` (rule F5: always with all ids). */
  fragment(since?: Context): Fragment {
    return {
      birth: this.birth,
      base: this.base,
      touchedAt: this.touchedAt,
      highest: this.highest,
      ids: this.ids,
      removedIds: this.removedIds,
      version: this.version,
      registers: since === undefined ? this.registers : this.registers.filter((register) => isNewTo(register, since)),
    }
  }

  /** Whether a replica that has `since` lacks anything of this session (rule F5: also a pure removal counts). */
  hasNewsFor(since: Context): boolean {
    return this.version.some((dot) => !since.has(dot)) || this.removedIds.some((dot) => !since.has(dot))
  }

  /** When the session ends if nobody touches it again, by what this node knows; Infinity = never. */
  get expiresAt(): number {
    if (this.base === undefined) return Infinity
    return Math.min(this.touchedAt + this.maxIdleMs, this.base.createdAt + this.base.maxLifeMs)
  }

  /** Whether its creating event is included; else the session is held, not served. */
  get isComplete(): boolean {
    return this.base !== undefined
  }

  /** What a request reads: a snapshot that later events do not change. `encode` makes bytes of what was merged. */
  record(encode: EncodeMerged): SessionRecord {
    const { value: principal, hlc } = this.principal ?? {}
    const isOwned = typeof principal === 'string'
    return {
      createdAt: this.base?.createdAt ?? 0,
      lastAccessedAt: this.touchedAt,
      maxIdleMs: this.maxIdleMs,
      maxLifeMs: this.base?.maxLifeMs ?? Infinity,
      principal: isOwned ? principal : undefined,
      principalSince: isOwned ? hlc : undefined,
      attributes: new RegisterView(this.registers, encode),
    }
  }

  /** Changes registers, and counts the bytes of those that did change. */
  #update<T extends { readonly name: string }>(
    items: readonly T[],
    change: (held: Register | undefined, item: T) => Register,
  ): void {
    this.registers = updated(this.registers, items, (held, item) => {
      const register = change(held, item)
      if (register !== held) this.bytes += valueBytes(register.value) - (held === undefined ? 0 : valueBytes(held.value))
      return register
    })
  }

  #include(dot: Dot): void {
    const at = this.version.findIndex((entry) => entry.actor === dot.actor)
    if (at < 0) this.version = this.version.concat(dot)
    else if ((this.version[at] as Dot).counter < dot.counter) this.version = this.version.with(at, dot)
  }

  #addId(entry: IdEntry): void {
    const removed = this.removedIds.findIndex((dot) => sameDot(dot, entry.dot))
    if (removed >= 0) this.removedIds = this.removedIds.toSpliced(removed, 1)
    else if (!this.ids.some((id) => sameDot(id.dot, entry.dot))) this.ids = this.ids.concat(entry)
  }

  /** Removes ids by the event that added them; where that event is still to come, remembers the removal. */
  #dropIds(drops: readonly Dot[], known: Context): void {
    const kept = this.ids.filter((id) => !drops.some((dot) => sameDot(dot, id.dot)))
    if (kept.length !== this.ids.length) this.ids = kept
    const ahead = drops.filter((dot) => !known.has(dot) && !this.includes(dot))
    for (const dot of ahead) {
      if (!this.removedIds.some((removed) => sameDot(removed, dot))) this.removedIds = this.removedIds.concat(dot)
    }
  }

  #mergeIds(from: Fragment, known: Context): void {
    const theirs = (dot: Dot): boolean =>
      from.version.some((entry) => entry.actor === dot.actor && entry.counter >= dot.counter)
    const removedByThem = from.removedIds
    const kept = this.ids.filter(
      ({ dot }) =>
        from.ids.some((id) => sameDot(id.dot, dot)) || !(theirs(dot) || removedByThem.some((removed) => sameDot(removed, dot))),
    )
    const isNew = ({ dot }: IdEntry): boolean =>
      !kept.some((id) => sameDot(id.dot, dot)) &&
      !known.has(dot) &&
      !this.includes(dot) &&
      !this.removedIds.some((removed) => sameDot(removed, dot))
    const added = from.ids.filter(isNew)
    if (kept.length !== this.ids.length || added.length > 0) this.ids = kept.concat(added)

    const open = [...this.removedIds, ...removedByThem.filter((dot) => !this.removedIds.some((own) => sameDot(own, dot)))]
    // A removal is done once its adding event is included on either side: then `ids` already says so.
    this.removedIds = open.filter((dot) => !theirs(dot) && !known.has(dot) && !this.includes(dot))
  }
}

function idChanges(before: readonly IdEntry[], after: readonly IdEntry[]): IdChanges {
  return {
    added: after.filter((id) => !before.includes(id)).map((id) => id.hash),
    removed: before.filter((id) => !after.includes(id)).map((id) => id.hash),
  }
}
