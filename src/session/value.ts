/**
 * Which attribute values are kept, and how. The list is closed; whatever is not on it is refused by name.
 *
 * | value                                   | comes back as                                                       |
 * |-----------------------------------------|---------------------------------------------------------------------|
 * | string                                  | itself, lone surrogates included                                    |
 * | number, NaN and ±Infinity included      | itself; -0 as 0                                                     |
 * | boolean, null, bigint of any size       | itself                                                              |
 * | Date, an invalid one included           | a Date of the same moment                                           |
 * | Buffer, Uint8Array                      | a Buffer of its own                                                 |
 * | plain object, prototype null included   | a plain object: own enumerable string keys in order; symbol keys    |
 * |                                         | and keys that hold undefined are dropped, getters become values     |
 * | array                                   | an array; holes become undefined                                    |
 * | Map, Set                                | itself, in order                                                    |
 * | undefined inside arrays, Maps and Sets  | itself; as a whole attribute it removes the attribute               |
 *
 * Refused: functions, symbols, instances of classes (subclasses of the above included), RegExp, Error, Promise, other
 * typed arrays, boxed primitives, WeakMap and the like, the key `__proto__`, values that contain themselves, nesting
 * deeper than 32, and more than 1 MiB. A value that is reached twice is kept twice.
 *
 * The bytes are MessagePack, written and read here and not by msgpackr, which writes a Map like an object, replaces
 * lone surrogates, renames `__proto__`, and decodes types that nobody asked for. Equal values with equal key order give
 * equal bytes.
 */
import { AttributeError } from '../errors.js'
import { ValueReader } from './value-reader.js'
import { ValueWriter } from './value-writer.js'

/** Containers inside containers, the outermost included. */
export const VALUE_DEPTH_MAX = 32

/** Encoded bytes of one attribute; a session's limit is lower by default. */
export const VALUE_BYTES_MAX: number = 1024 * 1024

/** Characters of an attribute name. */
export const NAME_CHARACTERS_MAX = 256

/** `ok: false`: the bytes are not what encodeValue writes. They read as undefined, and the reader counts them. */
export type Decoded = { readonly ok: true; readonly value: unknown } | { readonly ok: false }

const limits = { depth: VALUE_DEPTH_MAX, bytes: VALUE_BYTES_MAX }
const writer = new ValueWriter(limits)
const reader = new ValueReader(VALUE_DEPTH_MAX)
const REFUSED: Decoded = { ok: false }

/** The bytes of a value. Throws AttributeError that names the offending part, such as `cart.items[2].price`. */
export function encodeValue(value: unknown, path: string): Uint8Array {
  return (writer.busy ? new ValueWriter(limits) : writer).write(value, path)
}

/** The value of bytes, every part of it new. Never throws, whatever the bytes. */
export function decodeValue(bytes: Uint8Array): Decoded {
  try {
    return { ok: true, value: reader.read(bytes) }
  } catch {
    return REFUSED
  }
}

/** Bytes that are looked at here: what differs mostly does so at once, and a call out of the engine takes longer. */
const LOOKED_AT = 8

/** Whether both are the same bytes. */
export function areSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  const first = Math.min(a.length, LOOKED_AT)
  for (let i = 0; i < first; i++) if (a[i] !== b[i]) return false
  return a.length === first || Buffer.compare(a, b) === 0
}

/** Whether the bytes of both are texts in one form: where they are, equal texts have equal bytes, whoever wrote them. */
export function areTexts(a: Uint8Array, b: Uint8Array): boolean {
  const head = a[0] ?? 0
  const other = b[0] ?? 0
  return (head & 0xe0) === 0xa0 ? (other & 0xe0) === 0xa0 : head === other && head >= 0xd9 && head <= 0xdb
}

const CONTROL_OR_LONE_SURROGATE = /[\p{Cc}\p{Cs}]/u

/** Throws AttributeError unless `name` can name an attribute: the same rule on every backend and on the wire. */
export function assertAttributeName(name: string): void {
  if (isAttributeName(name)) return
  throw new AttributeError(shown(name), `${shown(name)} cannot name an attribute: ${nameRule(name)}`)
}

/** Whether `name` can name an attribute: 1 to 256 well-formed characters, none of them control, not `__proto__`. */
export function isAttributeName(name: string): boolean {
  if (name.length === 0 || name.length > NAME_CHARACTERS_MAX || name === '__proto__') return false
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (code < 0x20 || code > 0x7e) return !CONTROL_OR_LONE_SURROGATE.test(name)
  }
  return true
}

function nameRule(name: string): string {
  if (name.length === 0) return 'it is empty'
  if (name.length > NAME_CHARACTERS_MAX) return `${name.length} characters, at most ${NAME_CHARACTERS_MAX}`
  if (name === '__proto__') return 'it would change the prototype of what it is copied to'
  return 'it holds control characters or half of a surrogate pair'
}

function shown(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name)
}
