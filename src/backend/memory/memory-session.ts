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
import { AttributeTable } from './attribute-table.js'

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
  #attributes: AttributeTable

  constructor(attributes: AttributeTable) {
    this.#attributes = attributes
  }

  get size(): number {
    return this.#attributes.size
  }

  get bytes(): number {
    return this.#attributes.bytes
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
    this.#attributes = this.#attributes.copy()
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
  readonly #attributes = new AttributeTable()
  /** What wrote each of them, in their order; one commit as long as all of them were. */
  #marks: Mark[] | Mark = []
  /** What was handed out since the last write, to however many. */
  #snapshot: Snapshot | undefined
  /** What attributes that merge are made of; their values are among the attributes. */
  #merged: Map<string, Merged> | undefined
  /** What removed those that are not there any more, in the order of removal. */
  #removed: Map<string, Mark> | undefined
  #principalMark: Mark | undefined
  #maxIdleMark: Mark | undefined
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
    return this.#principalMark?.hlc
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
    let areOfOneMark = this.#attributes.size === 0
    for (const write of delta.writes) {
      const { name, kind, value } = write
      if (kind === RegisterKind.lww) this.#setAttribute(name, value, mark)
      else {
        this.#set(this.#merging(write, written))
        areOfOneMark = false
      }
    }
    if (areOfOneMark) {
      this.#attributes.compact()
      this.#marks = mark
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
      if (this.#includes(register.dot) && this.#markOf(register.name) === undefined) continue
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
    for (const name of [PRINCIPAL, MAX_IDLE, ...this.#attributes.keys(), ...(this.#removed?.keys() ?? [])]) {
      const register = this.#registerOf(name)
      if (register !== undefined) registers.push(portableRegister(register))
    }
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
    const mark = this.#markOf(name)
    return mark === undefined ? undefined : { name, ...mark, value: this.#valueOf(name) }
  }

  #markOf(name: string): Mark | undefined {
    if (name === PRINCIPAL) return this.#principalMark
    if (name === MAX_IDLE) return this.#maxIdleMark
    const at = this.#attributes.indexOf(name)
    if (at < 0) return this.#removed?.get(name)
    return Array.isArray(this.#marks) ? this.#marks[at] : this.#marks
  }

  #valueOf(name: string): Mergeable['value'] {
    if (name === PRINCIPAL) return this.principal ?? null
    if (name === MAX_IDLE) return this.maxIdleMs
    return this.#merged?.get(name) ?? this.#attributes.get(name) ?? null
  }

  #set({ name, kind, value, hlc, dot }: Mergeable): void {
    const mark: Mark = { kind, hlc, dot }
    if (name === PRINCIPAL) {
      this.principal = typeof value === 'string' ? value : undefined
      this.#principalMark = mark
    } else if (name === MAX_IDLE) {
      this.maxIdleMs = typeof value === 'number' ? value : Infinity
      this.#maxIdleMark = mark
    } else this.#setAttribute(name, value, mark)
  }

  #setAttribute(name: string, held: Mergeable['value'], mark: Mark): void {
    if (isMerged(held)) (this.#merged ??= new Map<string, Merged>()).set(name, held)
    else this.#merged?.delete(name)
    const encoded = isMerged(held) ? encodeMerged(held) : held
    const value = encoded instanceof Uint8Array ? encoded : null
    this.#snapshot?.keepAsIs()
    this.#snapshot = undefined
    const at = this.#attributes.indexOf(name)
    this.bytes += (value?.length ?? 0) - (this.#attributes.valueAt(at)?.length ?? 0)
    if (value === null) this.#remove(name, at, mark)
    else if (at < 0) {
      this.#removed?.delete(name)
      this.#ownMarks().push(mark)
      this.#attributes.add(name, value)
    } else {
      this.#ownMarks()[at] = mark
      this.#attributes.replaceAt(at, value)
    }
  }

  /** The mark of each attribute, to be changed. */
  #ownMarks(): Mark[] {
    const marks = this.#marks
    if (Array.isArray(marks)) return marks
    return (this.#marks = Array.from({ length: this.#attributes.size }, () => marks))
  }

  #remove(name: string, at: number, mark: Mark): void {
    if (at >= 0) {
      this.#ownMarks().splice(at, 1)
      this.#attributes.removeAt(at)
    }
    const removed = (this.#removed ??= new Map<string, Mark>())
    removed.delete(name)
    removed.set(name, mark)
    if (removed.size <= REMOVED_MAX) return
    for (const oldest of removed.keys()) {
      removed.delete(oldest)
      this.#merged?.delete(oldest)
      return
    }
  }

  #includes(dot: Dot): boolean {
    return covered(this.#version, dot)
  }

  #include(dot: Dot): void {
    const first = this.#version[0]
    const isAlone = this.#version.length <= 1 && (first === undefined || first.actor === dot.actor)
    this.#version = isAlone ? [dot] : [...this.#version.filter((entry) => entry.actor !== dot.actor), dot]
  }
}

function covered(version: readonly Dot[], dot: Dot): boolean {
  return version.some((entry) => entry.actor === dot.actor && entry.counter >= dot.counter)
}

function listed(portable: PortableSession, id: IdEntry): boolean {
  return portable.ids.some((other) => sameDot(other.dot, id.dot))
}
