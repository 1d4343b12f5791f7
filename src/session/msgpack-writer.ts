import { Ext } from './value-format.js'

/** Short values are written side by side into one piece of memory, each where it stays. */
const SLAB_BYTES = 8 * 1024
/** A longer value gets memory of its own, so that little of a slab is ever left over. */
const SHARED_BYTES_MAX = 1024
const SCRATCH_BYTES = 4 * 1024
const KEPT_BYTES = 64 * 1024
/** Strings up to this many characters are copied here; longer ones are worth a call out of the engine. */
const SHORT_STRING = 40
/** Bytes that the count of a string can have in one byte. */
const COUNTED_MAX = 0xff
const LONE_SURROGATE = /\p{Cs}/u

/** The writer's limit is reached. */
export class ValueTooLong extends Error {}

/** Writes MessagePack, one value after the other: scalars, and the heads of containers. */
export class MsgpackWriter {
  readonly #bytesMax: number
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  /** What is taken of the slab: nobody writes there again. */
  #taken = 0
  /** For values that outgrow the slab. */
  #scratch: Buffer<ArrayBuffer> | undefined
  /** Where the value is written to: the slab, or the scratch. */
  #buffer = this.#slab
  #start = 0
  #at = 0

  /** `bytesMax`: writing more throws ValueTooLong. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes of this value that were written so far. */
  get length(): number {
    return this.#at - this.#start
  }

  /** The value, which is complete; the next one begins. */
  take(): Buffer {
    if (this.#buffer !== this.#slab || this.length > SHARED_BYTES_MAX) {
      const own = Buffer.allocUnsafeSlow(this.length)
      this.#buffer.copy(own, 0, this.#start, this.#at)
      this.reset()
      return own
    }
    const bytes = this.#slab.subarray(this.#start, this.#at)
    this.#start = this.#taken = this.#at
    return bytes
  }

  /** Forgets what was written of a value that is not to be. */
  reset(): void {
    if (this.#scratch !== undefined && this.#scratch.length > KEPT_BYTES) this.#scratch = undefined
    this.#buffer = this.#slab
    this.#start = this.#at = this.#taken
  }

  /** A copy of what was written of this value from its byte `from` on. */
  copy(from: number): Buffer {
    return Buffer.from(this.#buffer.subarray(this.#start + from, this.#at))
  }

  /** Forgets what was written after the first `length` bytes of this value. */
  truncate(length: number): void {
    this.#at = this.#start + length
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
    if (value.length <= COUNTED_MAX && this.#utf8AsLong(value)) return
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

  /** Writes a string if there is room whatever it holds, and UTF-8 makes of it as many bytes: it is ASCII then. */
  #utf8AsLong(value: string): boolean {
    const length = value.length
    const start = this.#at + 2
    if (length <= SHORT_STRING || start + length * 3 > this.#buffer.length) return false
    if (this.#buffer.write(value, start) !== length) return false
    this.#buffer[this.#at] = 0xd9
    this.#buffer[this.#at + 1] = length
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
    if (this.#at + bytes > this.#buffer.length) this.#grow(this.length + bytes)
  }

  /** Goes on where there is room for a value of that many bytes: in a new slab, or in the scratch. */
  #grow(bytes: number): void {
    if (bytes > this.#bytesMax) throw new ValueTooLong()
    const before = this.#buffer
    if (bytes <= SHARED_BYTES_MAX) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
      this.#taken = 0
      this.#buffer = this.#slab
    } else this.#buffer = this.#roomFor(bytes)
    before.copy(this.#buffer, 0, this.#start, this.#at)
    this.#at -= this.#start
    this.#start = 0
  }

  #roomFor(bytes: number): Buffer<ArrayBuffer> {
    if (this.#scratch !== undefined && this.#scratch.length >= bytes) return this.#scratch
    const scratch = Buffer.allocUnsafeSlow(Math.min(Math.max(bytes * 2, SCRATCH_BYTES), this.#bytesMax))
    this.#scratch = scratch
    return scratch
  }
}
