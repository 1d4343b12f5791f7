/**
 * A session as one text: the least that a JavaScript engine can keep bytes in. A text has a header of 16 bytes and
 * nothing in it for the garbage collector to follow, where the objects of a small session take 1,000 bytes and forty
 * steps. Each character is one byte. Numbers are LEB128 varints; dots are relative to the birth, times of writes to the
 * highest one.
 *
 *   createdAt, maxIdleMs and maxLifeMs at birth, maxIdleMs now | version | highest | ids | registers
 */
import type { Dot, IdHash } from '../session/session.js'
import type { IdEntry, Register, SessionBase } from './events.js'
import { PackReader, PackWriter } from './pack-format.js'
import type { Packing } from './warm-sessions.js'

/** What a session is, but for what changes with every access. */
export interface SessionContents {
  base: SessionBase | undefined
  /** Highest hybrid time among the events included. */
  highest: number
  ids: readonly IdEntry[]
  removedIds: readonly Dot[]
  version: readonly Dot[]
  registers: readonly Register[]
  /** All this as text, where it was packed and did not change since. */
  text: string | undefined
}

/** A complete session: only such are packed. */
type Complete = SessionContents & { readonly base: SessionBase }

/** What decides when a session ends, beside its last access. */
export interface PackedLifetimes {
  readonly createdAt: number
  readonly maxIdleMs: number
  readonly maxLifeMs: number
}

/** Larger sessions would gain little: their values take more than all objects around them. */
const PACKED_BYTES_MAX = 8 * 1024
/** At most, beside names, texts and values: of a register, an id or a dot; and of everything that is there once. */
const ITEM_BYTES_MAX = 48
const HEAD_BYTES_MAX = 64

const Value = { none: 0, bytes: 1, number: 2, text: 3 } as const

const writer = new PackWriter(PACKED_BYTES_MAX)

/** The session as text; undefined where it is large, incomplete, or has what few sessions have and only for a while. */
export function packed(birth: Dot, contents: SessionContents, maxIdleMs: number, packing: Packing): string | undefined {
  if (contents.text !== undefined) return contents.text
  if (!isComplete(contents) || contents.removedIds.length > 0 || bytesAtMost(contents) > PACKED_BYTES_MAX) return undefined
  const { base, version, highest, ids, registers } = contents
  writer.start(birth)
  writer.number(base.createdAt)
  writer.number(base.maxIdleMs)
  writer.number(base.maxLifeMs)
  writer.number(maxIdleMs)
  writer.number(version.length)
  for (const dot of version) writer.dot(dot)
  writer.number(highest)
  writer.number(ids.length)
  for (const { hash, dot } of ids) {
    writer.text(hash)
    writer.dot(dot)
  }
  writer.number(registers.length)
  for (const register of registers) if (!writeRegister(register, highest)) return undefined
  return packing.toText(writer.written())
}

/** What was packed. Values are views of bytes that are this session's alone. */
export function unpacked(birth: Dot, text: string, packing: Packing): SessionContents {
  const reader = new PackReader(text, birth)
  const base = { createdAt: reader.number(), maxIdleMs: reader.number(), maxLifeMs: reader.number() }
  reader.number()
  const version = listOf(reader, readDot)
  const highest = reader.number()
  const ids = listOf(reader, readId)
  const bytes = packing.toBytes(text)
  const registers = listOf(reader, (from) => readRegister(from, highest, bytes))
  return { base, highest, ids, removedIds: [], version, registers, text }
}

/** When a packed session ends, without unpacking it. */
export function lifetimesIn(text: string, birth: Dot): PackedLifetimes {
  const reader = new PackReader(text, birth)
  const createdAt = reader.number()
  reader.number()
  const maxLifeMs = reader.number()
  return { createdAt, maxIdleMs: reader.number(), maxLifeMs }
}

/** The version of a packed session, without unpacking the rest. */
export function versionIn(text: string, birth: Dot): readonly Dot[] {
  const reader = new PackReader(text, birth)
  for (let skipped = 0; skipped < 4; skipped++) reader.number()
  return listOf(reader, readDot)
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

function readRegister(reader: PackReader, highest: number, bytes: Uint8Array): Register {
  const name = reader.text()
  const kind = reader.number()
  const value = readValue(reader, bytes)
  const hlc = highest - reader.number()
  return { name, kind, value, hlc, dot: reader.dot() }
}

function readValue(reader: PackReader, bytes: Uint8Array): Uint8Array | string | number | null {
  switch (reader.number()) {
    case Value.bytes:
      return reader.bytes(bytes)
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

function readDot(reader: PackReader): Dot {
  return reader.dot()
}

function listOf<T>(reader: PackReader, read: (reader: PackReader) => T): readonly T[] {
  const items: T[] = []
  for (let left = reader.number(); left > 0; left--) items.push(read(reader))
  return items
}
