import { invariant } from '../invariant.js'
import type { Dot, IdHash, SessionRecord } from '../session/session.js'
import type { Context } from './context.js'
import { Reserved, type Event, type Fragment, type IdEntry, type Register, type SessionBase } from './events.js'
import { addId, dropIds, include, isIncluded, mergeIds } from './id-set.js'
import type { Conflicts } from './merge/conflicts.js'
import { applied, isBy, isNewTo, joined, valueBytes } from './merge/register.js'
import { lifetimesIn, packed, unpacked, versionIn, type SessionContents } from './packed-session.js'
import { registerOf, RegisterView, updated, type EncodeMerged } from './registers.js'
import type { WarmSessions } from './warm-sessions.js'

/** What a session takes in from a live event; kills and revocations end sessions and are not for them. */
export type SessionEvent = Extract<Event, { type: 'create' | 'write' | 'rotate' }>

/** What merging changed about how a session is found. */
export interface IdChanges {
  readonly added: readonly IdHash[]
  readonly removed: readonly IdHash[]
}

/** Shared by all sessions that it made: a number of that size takes an object of its own wherever it is kept. */
export interface Actor {
  readonly number: number
}

const NO_CHANGE: IdChanges = { added: [], removed: [] }

/**
 * One session as mergeable state. Attributes are registers, each of which merges by its kind (merge/); ids are an
 * observed-remove set; `version` says which events of this session are included, so a fragment proves itself.
 *
 * All but what changes with every access is packed into one text while the session is not used (WarmSessions). Looking
 * at it unpacks it; whoever walks over many sessions uses what does without (expiresAt, hasNewsFor, fragment).
 *
 * Arrays are replaced, never changed in place: a reader may keep one as its snapshot. They are made by what makes them
 * as long as they are (concat, with, slice): a literal with a spread and one element more has room for 17.
 */
export class SessionState {
  readonly #actor: Actor
  readonly #counter: number
  touchedAt = 0
  /** The last access that peers were told of. */
  announcedAt = 0
  /** Of all values together. */
  bytes = 0
  readonly #warm: WarmSessions | undefined
  #held: SessionContents | string = {
    base: undefined,
    highest: 0,
    ids: [],
    removedIds: [],
    version: [],
    registers: [],
    text: undefined,
  }

  /** `warm`: who has it packed when it was not used for long; absent: it never is. `actor`: that of the birth. */
  constructor(birth: Dot, warm?: WarmSessions, actor: Actor = { number: birth.actor }) {
    this.#actor = actor
    this.#counter = birth.counter
    this.#warm = warm
  }

  get birth(): Dot {
    return { actor: this.#actor.number, counter: this.#counter }
  }

  get base(): SessionBase | undefined {
    return this.#contents.base
  }

  get highest(): number {
    return this.#contents.highest
  }

  get ids(): readonly IdEntry[] {
    return this.#contents.ids
  }

  get removedIds(): readonly Dot[] {
    return this.#contents.removedIds
  }

  get version(): readonly Dot[] {
    return this.#contents.version
  }

  /** By name, ascending. */
  get registers(): readonly Register[] {
    return this.#contents.registers
  }

  /** Whether events of `actor` up to `counter` are included. */
  includes(dot: Dot): boolean {
    return isIncluded(dot, this.#contents.version)
  }

  /** Whether any attribute or id is, in part at least, what an event of `actor` made it. */
  showsWorkOf(actor: number): boolean {
    const { registers, ids } = this.#contents
    return registers.some((register) => isBy(register, actor)) || ids.some(({ dot }) => dot.actor === actor)
  }

  register(name: string): Register | undefined {
    return registerOf(this.registers, name)
  }

  get principal(): Register | undefined {
    return registerOf(this.#contents.registers, Reserved.principal)
  }

  get maxIdleMs(): number {
    if (typeof this.#held === 'string') return lifetimesIn(this.#held, this.birth).maxIdleMs
    return maxIdleIn(this.#held)
  }

  /** Takes note of an access. One in the future is a peer's clock, and counts as now. */
  touch(at: number, now: number): void {
    this.touchedAt = Math.max(this.touchedAt, Math.min(at, now))
  }

  /** Takes in one live event that is not included yet (rule A6). `known`: the events this replica has. */
  apply(event: SessionEvent, known: Context, conflicts?: Conflicts): IdChanges {
    const contents = this.#contents
    contents.text = undefined
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
    const contents = this.#contents
    contents.text = undefined
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
    const { base, highest, ids, removedIds, version, registers } = this.#seen()
    return {
      birth: this.birth,
      base,
      touchedAt: this.touchedAt,
      highest,
      ids,
      removedIds,
      version,
      registers: since === undefined ? registers : registers.filter((register) => isNewTo(register, since)),
    }
  }

  /** Whether a replica that has `since` lacks anything of this session (rule F5: also a pure removal counts). */
  hasNewsFor(since: Context): boolean {
    if (typeof this.#held === 'string') return versionIn(this.#held, this.birth).some((dot) => !since.has(dot))
    const { version, removedIds } = this.#held
    return version.some((dot) => !since.has(dot)) || removedIds.some((dot) => !since.has(dot))
  }

  /** When the session ends if nobody touches it again, by what this node knows; Infinity = never. */
  get expiresAt(): number {
    if (typeof this.#held === 'string') {
      const { createdAt, maxIdleMs, maxLifeMs } = lifetimesIn(this.#held, this.birth)
      return Math.min(this.touchedAt + maxIdleMs, createdAt + maxLifeMs)
    }
    const { base } = this.#held
    if (base === undefined) return Infinity
    return Math.min(this.touchedAt + maxIdleIn(this.#held), base.createdAt + base.maxLifeMs)
  }

  /** Whether its creating event is included; else the session is held, not served, and never packed. */
  get isComplete(): boolean {
    return typeof this.#held === 'string' || this.#held.base !== undefined
  }

  /** What a request reads: a snapshot that later events do not change. `encode` makes bytes of what was merged. */
  record(encode: EncodeMerged): SessionRecord {
    const contents = this.#contents
    const { base, registers } = contents
    const { value: principal, hlc } = registerOf(registers, Reserved.principal) ?? {}
    const isOwned = typeof principal === 'string'
    return {
      createdAt: base?.createdAt ?? 0,
      lastAccessedAt: this.touchedAt,
      maxIdleMs: maxIdleIn(contents),
      maxLifeMs: base?.maxLifeMs ?? Infinity,
      principal: isOwned ? principal : undefined,
      principalSince: isOwned ? hlc : undefined,
      attributes: new RegisterView(registers, encode),
    }
  }

  /** Packs what is not in use; what cannot be packed stays as it is. */
  pack(): void {
    if (typeof this.#held === 'string' || this.#warm === undefined) return
    this.#held = packed(this.birth, this.#held, maxIdleIn(this.#held), this.#warm.packing) ?? this.#held
  }

  /** For use: from now on the session is among those that are not packed. */
  get #contents(): SessionContents {
    if (typeof this.#held !== 'string') return this.#held
    const contents = this.#seen()
    this.#held = contents
    this.#warm?.use(this)
    return contents
  }

  /** For one look: what is packed stays packed. */
  #seen(): SessionContents {
    if (typeof this.#held !== 'string') return this.#held
    invariant(this.#warm !== undefined, 'only who was told how packs a session')
    return unpacked(this.birth, this.#held, this.#warm.packing)
  }

  /** Changes registers, and counts the bytes of those that did change. */
  #update<T extends { readonly name: string }>(
    contents: SessionContents,
    items: readonly T[],
    change: (held: Register | undefined, item: T) => Register,
  ): void {
    contents.registers = updated(contents.registers, items, (held, item) => {
      const register = change(held, item)
      if (register !== held) this.bytes += valueBytes(register.value) - (held === undefined ? 0 : valueBytes(held.value))
      return register
    })
  }
}

/** As it was last set, else as at birth. */
function maxIdleIn({ registers, base }: SessionContents): number {
  const changed = registerOf(registers, Reserved.maxIdleMs)?.value
  return typeof changed === 'number' ? changed : (base?.maxIdleMs ?? Infinity)
}

function idChanges(before: readonly IdEntry[], after: readonly IdEntry[]): IdChanges {
  return {
    added: after.filter((id) => !before.includes(id)).map((id) => id.hash),
    removed: before.filter((id) => !after.includes(id)).map((id) => id.hash),
  }
}
