import { applied, changeFor, isMerged, joined } from '../../replica/merge/register.js'
import type { Merged } from '../../session/merged.js'
import {
  RegisterKind,
  sameDot,
  type Attributes,
  type AttributeWrite,
  type Dot,
  type IdHash,
  type SessionDelta,
  type SessionRecord,
  type SessionRef,
} from '../../session/session.js'
import type { PortableRegister, PortableSession } from '../backend.js'
import { encodeMerged, intentOf, mergeableRegister, portableRegister, type Mergeable } from '../merged-value.js'

/** Registers that every backend exports beside the attributes, under names that no attribute can have. */
const PRINCIPAL = '\u0000principal'
const MAX_IDLE = '\u0000maxIdleMs'

/** Removed attributes that are remembered per session, so that importing an older copy does not bring them back. */
const REMOVED_MAX = 1_024

/** Which event wrote something, and when: what decides between two writes. */
export interface Written {
  readonly hlc: number
  readonly dot: Dot
}

interface Mark extends Written {
  readonly kind: number
}

interface IdEntry {
  readonly hash: IdHash
  readonly dot: Dot
}

/**
 * The attributes as they were when a record was handed out. Its holder gets the copy when they are written: it is soon
 * forgotten, while a copy that the session kept would outlive the collector's young generation at every write.
 */
class Snapshot implements Attributes {
  #attributes: ReadonlyMap<string, Uint8Array>

  constructor(attributes: ReadonlyMap<string, Uint8Array>) {
    this.#attributes = attributes
  }

  get size(): number {
    return this.#attributes.size
  }

  get(name: string): Uint8Array | undefined {
    return this.#attributes.get(name)
  }

  has(name: string): boolean {
    return this.#attributes.has(name)
  }

  keys(): Iterable<string> {
    return this.#attributes.keys()
  }

  /** They are about to be written. */
  keepAsIs(): void {
    this.#attributes = new Map(this.#attributes)
  }
}

/** One session of the memory backend. A record once handed out never changes. */
export class MemorySession {
  readonly birth: SessionRef
  readonly createdAt: number
  readonly maxLifeMs: number
  lastAccessedAt: number
  maxIdleMs = Infinity
  principal: string | undefined = undefined
  ids: readonly IdEntry[] = []
  /** Of all values together. */
  bytes = 0
  readonly #attributes = new Map<string, Uint8Array>()
  /** What was handed out since the last write, to however many. */
  #snapshot: Snapshot | undefined
  /** What attributes that merge are made of; their values are among the attributes. */
  #merged: Map<string, Merged> | undefined
  readonly #marks = new Map<string, Mark>()
  #removed = 0
  #version: readonly Dot[] = []
  #highest = 0

  constructor(birth: SessionRef, createdAt: number, maxLifeMs: number) {
    this.birth = birth
    this.createdAt = createdAt
    this.maxLifeMs = maxLifeMs
    this.lastAccessedAt = createdAt
  }

  /** When the principal was set, or undefined when it never was. */
  get principalSince(): number | undefined {
    return this.#marks.get(PRINCIPAL)?.hlc
  }

  snapshot(): SessionRecord {
    this.#snapshot ??= new Snapshot(this.#attributes)
    return {
      createdAt: this.createdAt,
      lastAccessedAt: this.lastAccessedAt,
      maxIdleMs: this.maxIdleMs,
      maxLifeMs: this.maxLifeMs,
      principal: this.principal,
      principalSince: this.principal === undefined ? undefined : this.principalSince,
      attributes: this.#snapshot,
    }
  }

  /** The idle lifetime the session is born with; any later change of it wins. */
  startWith(maxIdleMs: number): void {
    this.#set({ name: MAX_IDLE, kind: 0, value: maxIdleMs, hlc: 0, dot: this.birth })
  }

  /** Takes in what one commit wrote. */
  apply(delta: SessionDelta, written: Written): void {
    const { hlc, dot } = written
    // One mark for all that is replaced: sessions are born with many attributes at once.
    const mark: Mark = { kind: RegisterKind.lww, hlc, dot }
    for (const write of delta.writes) {
      const { name, kind, value } = write
      if (kind === RegisterKind.lww) this.#setAttribute(name, value, mark)
      else this.#set(this.#merging(write, written))
    }
    const { maxIdleMs, principal } = delta
    if (maxIdleMs !== undefined) this.#set({ name: MAX_IDLE, kind: 0, value: maxIdleMs, ...written })
    if (principal !== undefined) this.#set({ name: PRINCIPAL, kind: 0, value: principal, ...written })
    this.#include(written.dot)
    this.#highest = Math.max(this.#highest, written.hlc)
  }

  /** Takes in another backend's copy; says whether anything in it was new. */
  merge(portable: PortableSession): boolean {
    const news = portable.version.filter((dot) => !this.#includes(dot))
    this.lastAccessedAt = Math.max(this.lastAccessedAt, portable.touchedAt)
    if (news.length === 0) return false

    for (const register of portable.registers) {
      if (this.#includes(register.dot) && !this.#marks.has(register.name)) continue
      const held = this.#registerOf(register.name)
      const both = joined(held, mergeableRegister(register))
      if (both !== held) this.#set(both)
    }
    const held = this.ids.filter((id) => listed(portable, id) || !covered(portable.version, id.dot))
    const added = portable.ids.filter((id) => !this.#includes(id.dot))
    this.ids = [...held, ...added.map(({ hash, dot }) => ({ hash: hash as IdHash, dot }))]
    for (const dot of news) this.#include(dot)
    this.#highest = Math.max(this.#highest, portable.highest)
    return true
  }

  toPortable(): PortableSession {
    const registers: PortableRegister[] = []
    for (const [name, mark] of this.#marks) registers.push(portableRegister({ name, ...mark, value: this.#valueOf(name) }))
    registers.sort((a, b) => (a.name < b.name ? -1 : 1))
    return {
      birth: this.birth,
      createdAt: this.createdAt,
      maxLifeMs: this.maxLifeMs,
      touchedAt: this.lastAccessedAt,
      ids: this.ids,
      registers,
      version: this.#version,
      highest: this.#highest,
    }
  }

  /** The attribute once a write is taken in that does not simply replace it. */
  #merging(write: AttributeWrite, written: Written): Mergeable {
    const { name, kind, value } = write
    const held = this.#registerOf(name)
    const replaced = held === undefined || held.kind === kind ? undefined : this.#attributes.get(name)
    const intent = { name, kind, value: intentOf(write, replaced) ?? value }
    return applied(held, changeFor(intent, held, written), written)
  }

  #registerOf(name: string): Mergeable | undefined {
    const mark = this.#marks.get(name)
    return mark === undefined ? undefined : { name, ...mark, value: this.#valueOf(name) }
  }

  #valueOf(name: string): Mergeable['value'] {
    if (name === PRINCIPAL) return this.principal ?? null
    if (name === MAX_IDLE) return this.maxIdleMs
    return this.#merged?.get(name) ?? this.#attributes.get(name) ?? null
  }

  #set({ name, kind, value, hlc, dot }: Mergeable): void {
    const mark: Mark = { kind, hlc, dot }
    if (name !== PRINCIPAL && name !== MAX_IDLE) {
      this.#setAttribute(name, value, mark)
      return
    }
    if (name === PRINCIPAL) this.principal = typeof value === 'string' ? value : undefined
    else this.maxIdleMs = typeof value === 'number' ? value : Infinity
    this.#marks.set(name, mark)
  }

  #setAttribute(name: string, held: Mergeable['value'], mark: Mark): void {
    if (isMerged(held)) (this.#merged ??= new Map<string, Merged>()).set(name, held)
    else this.#merged?.delete(name)
    const encoded = isMerged(held) ? encodeMerged(held) : held
    const value = encoded instanceof Uint8Array ? encoded : null
    this.#snapshot?.keepAsIs()
    this.#snapshot = undefined
    const before = this.#attributes.get(name)
    this.bytes += (value?.byteLength ?? 0) - (before?.byteLength ?? 0)
    if (value !== null) {
      if (before === undefined && this.#marks.has(name)) this.#removed--
      this.#attributes.set(name, value)
    } else {
      this.#attributes.delete(name)
      if (before !== undefined || !this.#marks.has(name)) this.#removed++
      // Moves the mark to the end, so that the marks of what was removed stand in the order of removal.
      this.#marks.delete(name)
      if (this.#removed > REMOVED_MAX) this.#forgetOldestRemoved()
    }
    this.#marks.set(name, mark)
  }

  #forgetOldestRemoved(): void {
    for (const name of this.#marks.keys()) {
      if (name === PRINCIPAL || name === MAX_IDLE || this.#attributes.has(name)) continue
      this.#marks.delete(name)
      this.#merged?.delete(name)
      this.#removed--
      return
    }
  }

  #includes(dot: Dot): boolean {
    return covered(this.#version, dot)
  }

  #include(dot: Dot): void {
    const others = this.#version.filter((entry) => entry.actor !== dot.actor)
    this.#version = others.length === 0 ? [dot] : [...others, dot]
  }
}

function covered(version: readonly Dot[], dot: Dot): boolean {
  return version.some((entry) => entry.actor === dot.actor && entry.counter >= dot.counter)
}

function listed(portable: PortableSession, id: IdEntry): boolean {
  return portable.ids.some((other) => sameDot(other.dot, id.dot))
}
