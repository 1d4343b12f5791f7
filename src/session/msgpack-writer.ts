import { Ext } from './value-format.js'

const INITIAL_BYTES = 4 * 1024
const KEPT_BYTES = 64 * 1024
/** Strings up to this many characters are copied here; longer ones are worth a call out of the engine. */
const SHORT_STRING = 40
const LONE_SURROGATE = /\p{Cs}/u

/** The writer's limit is reached. */
export class ValueTooLong extends Error {}

/** Writes MessagePack into a buffer that it keeps: scalars, and the heads of containers. */
export class MsgpackWriter {
  readonly #bytesMax: number
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  #at = 0

  /** `bytesMax`: writing more throws ValueTooLong. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at
  }

  /** A copy of what was written from `start` on. */
  copy(start = 0): Buffer {
    const bytes = Buffer.allocUnsafe(this.#at - start)
    this.#buffer.copy(bytes, 0, start, this.#at)
    return bytes
  }

  /** Forgets what was written after the first `length` bytes. */
  truncate(length: number): void {
    this.#at = length
    if (length === 0 && this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  }

  number(value: number): void {
    this.#reserve(9)
    const buffer = this.#buffer
    if (value === (value | 0)) {
      // -0 === 0, so -0 arrives here too, and is written as 0.
      const integer = value | 0
      if (integer >= 0 && integer < 0x80) buffer[this.#at++] = integer
      else if (integer < 0 && integer >= -32) buffer[this.#at++] = integer & 0xff
      else {
        buffer[this.#at] = 0xd2
        this.#at = buffer.writeInt32BE(integer, this.#at + 1)
      }
      return
    }
    buffer[this.#at] = 0xcb
    this.#at = buffer.writeDoubleBE(value, this.#at + 1)
  }

  string(value: string): void {
    if (value.length <= SHORT_STRING) {
      this.#reserve(SHORT_STRING + 2)
      if (this.#ascii(value)) return
    }
    if (LONE_SURROGATE.test(value)) return this.#utf16(value)
    const bytes = Buffer.byteLength(value)
    this.#head(bytes, 0xa0, 32, 0xd9, 0xda)
    this.#reserve(bytes)
    this.#at += this.#buffer.write(value, this.#at, 'utf8')
  }

  /** Writes a short string if it is ASCII, else nothing. */
  #ascii(value: string): boolean {
    const buffer = this.#buffer
    const length = value.length
    const wide = length >= 32
    const start = this.#at + (wide ? 2 : 1)
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code >= 0x80) return false
      buffer[start + i] = code
    }
    if (wide) {
      buffer[this.#at] = 0xd9
      buffer[this.#at + 1] = length
    } else buffer[this.#at] = 0xa0 | length
    this.#at = start + length
    return true
  }

  #utf16(value: string): void {
    this.#ext(Ext.utf16, value.length * 2)
    this.#reserve(value.length * 2)
    this.#at += this.#buffer.write(value, this.#at, 'utf16le')
  }

  bigint(value: bigint): void {
    const hex = (value < 0n ? -value : value).toString(16)
    const magnitude = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
    this.#ext(Ext.bigint, magnitude.length + 1)
    this.byte(value < 0n ? 1 : 0)
    this.raw(magnitude)
  }

  date(value: Date): void {
    this.#ext(Ext.date, 8)
    this.#reserve(8)
    this.#at = this.#buffer.writeDoubleBE(value.getTime(), this.#at)
  }

  binary(value: Uint8Array): void {
    this.#head(value.byteLength, 0, 0, 0xc4, 0xc5)
    this.raw(value)
  }

  /** The head of something that counts: in one byte below `fixMax`, else `code8` (where there is one), 16 or 32 bits. */
  #head(count: number, fix: number, fixMax: number, code8: number, code16: number): void {
    this.#reserve(5)
    const buffer = this.#buffer
    if (count < fixMax) buffer[this.#at++] = fix | count
    else if (code8 !== 0 && count < 0x100) {
      buffer[this.#at++] = code8
      buffer[this.#at++] = count
    } else if (count < 0x1_0000) {
      buffer[this.#at] = code16
      this.#at = buffer.writeUInt16BE(count, this.#at + 1)
    } else {
      buffer[this.#at] = code16 + 1
      this.#at = buffer.writeUInt32BE(count, this.#at + 1)
    }
  }

  arrayHead(count: number): void {
    this.#head(count, 0x90, 16, 0, 0xdc)
  }

  mapHead(count: number): void {
    this.#head(count, 0x80, 16, 0, 0xde)
  }

  #ext(type: number, length: number): void {
    this.#head(length, 0, 0, 0xc7, 0xc8)
    this.byte(type)
  }

  /** An extension without content: one byte of it, because MessagePack has none of zero. */
  marker(type: number): void {
    this.byte(0xd4)
    this.byte(type)
    this.byte(0)
  }

  byte(byte: number): void {
    this.#reserve(1)
    this.#buffer[this.#at++] = byte
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.byteLength
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#buffer.length) return
    if (needed > this.#bytesMax) throw new ValueTooLong()
    const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(needed, this.#buffer.length * 2), this.#bytesMax))
    grown.set(this.#buffer.subarray(0, this.#at))
    this.#buffer = grown
  }
}
