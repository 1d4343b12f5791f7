/**
 * A session as bytes: the objects of a small one take 1,000 bytes and forty steps of the garbage collector. Numbers are
 * LEB128 varints; dots are relative to the birth, times of writes to the highest one.
 *
 *   createdAt, maxIdleMs and maxLifeMs at birth, maxIdleMs now | ids | version | highest | registers
 */
import type { Dot, IdHash } from '../session/session.js'
import { KEPT_BYTES_MAX } from './arena.js'
import { Reserved, type IdEntry, type Register, type SessionBase } from './events.js'
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

const writer = new PackWriter(KEPT_BYTES_MAX)

/**
 * The session as bytes, good until the next is packed; undefined where it is large (its values take more than all objects
 * around them, so little would be gained), incomplete, or has what few sessions have and only for a while.
 */
export function packed(birth: Dot, contents: SessionContents): Uint8Array | undefined {
  if (!isComplete(contents) || contents.removedIds.length > 0 || bytesAtMost(contents) > KEPT_BYTES_MAX) return undefined
  const { base, version, highest, ids, registers } = contents
  writer.start(birth)
  writer.number(base.createdAt)
  writer.number(base.maxIdleMs)
  writer.number(base.maxLifeMs)
  writer.number(maxIdleIn(contents))
  writer.number(ids.length)
  for (const { hash, dot } of ids) {
    writer.text(hash)
    writer.dot(dot)
  }
  writer.number(version.length)
  for (const dot of version) writer.dot(dot)
  writer.number(highest)
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
    const base = { createdAt: reader.number(), maxIdleMs: reader.number(), maxLifeMs: reader.number() }
    reader.number()
    const ids = listOf(reader, readId)
    const version = listOf(reader, readDot)
    const highest = reader.number()
    const registers = listOf(reader, (from) => readRegister(from, highest))
    return { base, highest, ids, removedIds: [], version, registers }
  }

  lifetimes(): PackedLifetimes {
    const reader = this.#reader()
    const createdAt = reader.number()
    reader.number()
    const maxLifeMs = reader.number()
    return { createdAt, maxIdleMs: reader.number(), maxLifeMs }
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
      reader.number()
      if (isPrincipal) return reader.number() === Value.text && reader.isText(principal)
      void readValue(reader)
      reader.number()
      reader.skipDot()
    }
    return false
  }

  #reader(): PackReader {
    return new PackReader(this.#bytes, this.#at, this.#birth)
  }

  #atIds(): PackReader {
    const reader = this.#reader()
    for (let skipped = 0; skipped < 4; skipped++) reader.number()
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

/** Writes a register; false where it merges. */
function writeRegister({ name, kind, value, hlc, dot }: Register, highest: number): boolean {
  writer.text(name)
  writer.number(kind)
  if (value === null) {
    writer.number(Value.none)
  } else if (value instanceof Uint8Array) {
    writer.number(Value.bytes)
    writer.bytes(value)
  } else if (typeof value === 'number') {
    writer.number(Value.number)
    writer.number(value)
  } else if (typeof value === 'string') {
    writer.number(Value.text)
    writer.text(value)
  } else {
    return false
  }
  writer.number(highest - hlc)
  writer.dot(dot)
  return true
}

function readRegister(reader: PackReader, highest: number): Register {
  const name = reader.name()
  const kind = reader.number()
  const value = readValue(reader)
  const hlc = highest - reader.number()
  return { name, kind, value, hlc, dot: reader.dot() }
}

function readValue(reader: PackReader): Uint8Array | string | number | null {
  switch (reader.number()) {
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
