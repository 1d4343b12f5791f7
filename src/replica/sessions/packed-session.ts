/**
 * A session as bytes: the objects of a small one take 1,000 bytes and forty steps of the garbage collector. Numbers are
 * LEB128 varints; dots are relative to the birth, the highest time to that of the birth, times of writes to the highest.
 *
 *   flags, createdAt, maxIdleMs and maxLifeMs at birth, maxIdleMs now if other | ids | version | highest | registers
 *   a register: name, head (kind, type of its value, what is as usual), value, hlc if not the highest, dot if not the birth
 */
import type { Dot, IdHash } from '../../session/session.js'
import { Reserved, type IdEntry, type Register, type SessionBase } from '../events.js'
import { hlcAt } from '../hlc.js'
import { KEPT_BYTES_MAX } from './arena.js'
import { PackReader, PackWriter } from './pack-format.js'
import { registerOf } from './registers.js'

/** What a session is, but for what changes with every access. */
export interface SessionContents {
  base: SessionBase | undefined
  /** Highest hybrid time among the events included. */
  highest: number
  ids: readonly IdEntry[]
  removedIds: readonly Dot[]
  version: readonly Dot[]
  registers: readonly Register[]
}

/** A complete session: only such are packed. */
type Complete = SessionContents & { readonly base: SessionBase }

/** What decides when a session ends, beside its last access. */
export interface PackedLifetimes {
  readonly createdAt: number
  readonly maxIdleMs: number
  readonly maxLifeMs: number
}

/** At most, beside names, texts and values: of a register, an id or a dot; and of everything that is there once. */
const ITEM_BYTES_MAX = 48
const HEAD_BYTES_MAX = 64

const Value = { none: 0, bytes: 1, number: 2, text: 3 } as const
const VALUE_TYPES = 4

/** What is not as usual in the lifetimes of a session: another idle time than at birth; not whole seconds. */
const Odd = { idleNow: 1, idle: 2, life: 4 } as const
const MS_PER_SECOND = 1_000

/** What is not as usual about a register: it was not written last; not at birth. */
const Other = { time: 1, event: 2 } as const
const OTHERS = 4

const writer = new PackWriter(KEPT_BYTES_MAX)

/**
 * The session as bytes, good until the next is packed; undefined where it is large (its values take more than all objects
 * around them, so little would be gained), incomplete, or has what few sessions have and only for a while.
 */
export function packed(birth: Dot, contents: SessionContents): Uint8Array | undefined {
  if (!isComplete(contents) || contents.removedIds.length > 0 || bytesAtMost(contents) > KEPT_BYTES_MAX) return undefined
  const { base, version, highest, ids, registers } = contents
  writer.start(birth)
  writeLifetimes(base, maxIdleIn(contents))
  writer.number(ids.length)
  for (const { hash, dot } of ids) {
    writer.text(hash)
    writer.dot(dot)
  }
  writer.number(version.length)
  for (const dot of version) writer.dot(dot)
  writer.number(highest - hlcAt(base.createdAt))
  writer.number(registers.length)
  for (const register of registers) if (!writeRegister(register, highest)) return undefined
  return writer.written()
}

/** A packed session, read where its bytes lie: nothing that is read is good for longer than they lie there. */
export class PackedSession {
  readonly #bytes: Uint8Array
  readonly #at: number
  readonly #birth: Dot

  constructor(bytes: Uint8Array, at: number, birth: Dot) {
    this.#bytes = bytes
    this.#at = at
    this.#birth = birth
  }

  /** Everything, with values that are views of `bytes`. */
  contents(): SessionContents {
    const reader = this.#reader()
    const { base } = readLifetimes(reader)
    const ids = listOf(reader, readId)
    const version = listOf(reader, readDot)
    const highest = hlcAt(base.createdAt) + reader.number()
    const registers = listOf(reader, (from) => readRegister(from, highest))
    return { base, highest, ids, removedIds: [], version, registers }
  }

  lifetimes(): PackedLifetimes {
    const { base, maxIdleMs } = readLifetimes(this.#reader())
    return { createdAt: base.createdAt, maxIdleMs, maxLifeMs: base.maxLifeMs }
  }

  version(): readonly Dot[] {
    const reader = this.#atIds()
    for (let left = reader.number(); left > 0; left--) skipId(reader)
    return listOf(reader, readDot)
  }

  hasId(hash: IdHash): boolean {
    const reader = this.#atIds()
    for (let left = reader.number(); left > 0; left--) {
      if (reader.isText(hash)) return true
      reader.skipDot()
    }
    return false
  }

  hasPrincipal(principal: string): boolean {
    const reader = this.#atIds()
    for (let left = reader.number(); left > 0; left--) skipId(reader)
    for (let left = reader.number(); left > 0; left--) reader.skipDot()
    reader.number()
    for (let left = reader.number(); left > 0; left--) {
      const isPrincipal = reader.isText(Reserved.principal)
      const head = reader.number()
      if (isPrincipal) return valueTypeIn(head) === Value.text && reader.isText(principal)
      void readValue(reader, valueTypeIn(head))
      if ((head & Other.time) !== 0) reader.number()
      if ((head & Other.event) !== 0) reader.skipDot()
    }
    return false
  }

  #reader(): PackReader {
    return new PackReader(this.#bytes, this.#at, this.#birth)
  }

  #atIds(): PackReader {
    const reader = this.#reader()
    const odd = reader.number()
    for (let left = (odd & Odd.idleNow) === 0 ? 3 : 4; left > 0; left--) reader.number()
    return reader
  }
}

/** As it was last set, else as at birth. */
export function maxIdleIn({ registers, base }: SessionContents): number {
  const changed = registerOf(registers, Reserved.maxIdleMs)?.value
  return typeof changed === 'number' ? changed : (base?.maxIdleMs ?? Infinity)
}

function isComplete(contents: SessionContents): contents is Complete {
  return contents.base !== undefined
}

function bytesAtMost({ version, ids, registers }: SessionContents): number {
  let bytes = HEAD_BYTES_MAX + version.length * ITEM_BYTES_MAX
  for (const { hash } of ids) bytes += ITEM_BYTES_MAX + 2 * hash.length
  for (const { name, value } of registers) {
    bytes += ITEM_BYTES_MAX + 2 * name.length
    if (typeof value === 'string') bytes += 2 * value.length
    else if (value instanceof Uint8Array) bytes += value.length
  }
  return bytes
}

function writeLifetimes({ createdAt, maxIdleMs, maxLifeMs }: SessionBase, idleNow: number): void {
  const isIdle = Number.isInteger(maxIdleMs / MS_PER_SECOND)
  const isLife = Number.isInteger(maxLifeMs / MS_PER_SECOND)
  writer.number((idleNow === maxIdleMs ? 0 : Odd.idleNow) + (isIdle ? 0 : Odd.idle) + (isLife ? 0 : Odd.life))
  writer.number(createdAt)
  writer.number(isIdle ? maxIdleMs / MS_PER_SECOND : maxIdleMs)
  writer.number(isLife ? maxLifeMs / MS_PER_SECOND : maxLifeMs)
  if (idleNow !== maxIdleMs) writer.number(idleNow)
}

function readLifetimes(reader: PackReader): { readonly base: SessionBase; readonly maxIdleMs: number } {
  const odd = reader.number()
  const createdAt = reader.number()
  const maxIdleMs = reader.number() * ((odd & Odd.idle) === 0 ? MS_PER_SECOND : 1)
  const maxLifeMs = reader.number() * ((odd & Odd.life) === 0 ? MS_PER_SECOND : 1)
  return { base: { createdAt, maxIdleMs, maxLifeMs }, maxIdleMs: (odd & Odd.idleNow) === 0 ? maxIdleMs : reader.number() }
}

/** Writes a register; false where it merges. */
function writeRegister(register: Register, highest: number): boolean {
  const { name, kind, value, hlc, dot } = register
  const type = valueTypeOf(value)
  if (type === undefined) return false
  const [time, event] = [hlc === highest ? 0 : Other.time, writer.isBirth(dot) ? 0 : Other.event]
  writer.text(name)
  writer.number((kind * VALUE_TYPES + type) * OTHERS + time + event)
  if (value instanceof Uint8Array) writer.bytes(value)
  else if (typeof value === 'number') writer.number(value)
  else if (typeof value === 'string') writer.text(value)
  if (time !== 0) writer.number(highest - hlc)
  if (event !== 0) writer.dot(dot)
  return true
}

function valueTypeOf(value: Register['value']): number | undefined {
  if (value === null) return Value.none
  if (value instanceof Uint8Array) return Value.bytes
  if (typeof value === 'number') return Value.number
  return typeof value === 'string' ? Value.text : undefined
}

function valueTypeIn(head: number): number {
  return Math.floor(head / OTHERS) % VALUE_TYPES
}

function readRegister(reader: PackReader, highest: number): Register {
  const name = reader.name()
  const head = reader.number()
  const kind = Math.floor(head / (VALUE_TYPES * OTHERS))
  const value = readValue(reader, valueTypeIn(head))
  const hlc = (head & Other.time) === 0 ? highest : highest - reader.number()
  return { name, kind, value, hlc, dot: (head & Other.event) === 0 ? reader.birth : reader.dot() }
}

function readValue(reader: PackReader, type: number): Uint8Array | string | number | null {
  switch (type) {
    case Value.bytes:
      return reader.bytes()
    case Value.number:
      return reader.number()
    case Value.text:
      return reader.text()
    default:
      return null
  }
}

function readId(reader: PackReader): IdEntry {
  return { hash: reader.text() as IdHash, dot: reader.dot() }
}

function skipId(reader: PackReader): void {
  reader.skipText()
  reader.skipDot()
}

function readDot(reader: PackReader): Dot {
  return reader.dot()
}

function listOf<T>(reader: PackReader, read: (reader: PackReader) => T): readonly T[] {
  const items: T[] = []
  for (let left = reader.number(); left > 0; left--) items.push(read(reader))
  return items
}
