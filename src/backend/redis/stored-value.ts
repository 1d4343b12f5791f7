/**
 * Attribute values as Redis holds them: the bytes that all backends share, or, with the option `json`, JSON text that
 * people can read in redis-cli. Both are told apart by their first byte and length: encoded bytes below 0x80 are a
 * whole value of one byte, JSON text begins below 0x80 and has two bytes or more. So nodes with and without the option
 * read each other.
 */
import { decodeValue, encodeValue } from '../../session/value.js'

/** The value of a register as it is stored: JSON where that says all of it, byte for byte. */
export function toStored(value: Uint8Array, json: boolean): Uint8Array {
  if (!json) return value
  const decoded = decodeValue(value)
  if (!decoded.ok) return value
  const text = jsonOf(decoded.value)
  if (text === undefined || !Buffer.from(value).equals(encodedJson(text))) return value
  return Buffer.from(text.length === 1 ? `${text} ` : text)
}

/** The encoded bytes of a stored value. */
export function fromStored(stored: Uint8Array): Uint8Array {
  const isText = stored.length > 1 && (stored[0] as number) < 0x80
  return isText ? encodedJson(Buffer.from(stored).toString()) : stored
}

/** Nothing for what JSON cannot say at all: undefined, a bigint. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** Text that is no JSON encodes to nothing, which no value does: it reads as undefined. */
function encodedJson(text: string): Uint8Array {
  try {
    return encodeValue(JSON.parse(text), 'value')
  } catch {
    return new Uint8Array()
  }
}
