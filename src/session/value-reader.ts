import { isUtf8 } from 'node:buffer'
import { Ext } from './value-format.js'

/** Strings up to this many bytes are put together here; longer ones are worth a call out of the engine. */
const SHORT_STRING = 24
const REPLACEMENT = '\ufffd'

/**
 * Reads what ValueWriter writes, and nothing else: every length is checked against the bytes that are there before
 * anything is allocated, and no name of a key can reach a prototype. Throws on everything else; the bytes stay
 * untouched and are not shared with the value.
 */
export class ValueReader {
  readonly #depthMax: number
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0
  #depth = 0

  constructor(depthMax: number) {
    this.#depthMax = depthMax
  }

  read(bytes: Uint8Array): unknown {
    this.#buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = 0
    this.#depth = 0
    const value = this.#value()
    if (this.#at !== bytes.byteLength) throw malformed('bytes after the value')
    return value
  }

  #value(): unknown {
    const head = this.#uint8()
    if (head < 0x80) return head
    if (head < 0x90) return this.#object(head & 0x0f)
    if (head < 0xa0) return this.#array(head & 0x0f)
    if (head < 0xc0) return this.#string(head & 0x1f)
    if (head >= 0xe0) return head - 0x100
    switch (head) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xcb:
        return this.#buffer.readDoubleBE(this.#skip(8))
      case 0xd2:
        return this.#buffer.readInt32BE(this.#skip(4))
      case 0xd4:
        return this.#undefined()
      default:
        return this.#sized(head)
    }
  }

  /** Everything whose head is followed by a length. */
  #sized(head: number): unknown {
    switch (head) {
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary(this.#length(head - 0xc4))
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#ext(this.#length(head - 0xc7))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#string(this.#length(head - 0xd9))
      case 0xdc:
      case 0xdd:
        return this.#array(this.#length(head - 0xdb))
      case 0xde:
      case 0xdf:
        return this.#object(this.#length(head - 0xdd))
      default:
        throw malformed('type not allowed')
    }
  }

  #object(count: number): object {
    this.#enter(count * 2)
    const object: Record<string, unknown> = {}
    for (let i = 0; i < count; i++) {
      const key = this.#key()
      if (key === '__proto__') throw malformed('key not allowed')
      object[key] = this.#value()
    }
    this.#depth--
    return object
  }

  #key(): string {
    const head = this.#uint8()
    if (head >= 0xa0 && head < 0xc0) return this.#string(head & 0x1f)
    const key = this.#sized(head)
    if (typeof key !== 'string') throw malformed('key that is no string')
    return key
  }

  #array(count: number): unknown {
    this.#enter(count)
    const kind = this.#containerMarker(count)
    const container =
      kind === Ext.map ? this.#map(count - 1) : kind === Ext.set ? this.#set(count - 1) : this.#elements(count)
    this.#depth--
    return container
  }

  /** Which marker the array begins with, if any; it is passed over. */
  #containerMarker(count: number): number | undefined {
    if (count === 0 || this.#buffer[this.#at] !== 0xd4) return undefined
    const type = this.#buffer[this.#at + 1]
    if (type !== Ext.map && type !== Ext.set) return undefined
    if (this.#buffer[this.#skip(3) + 2] !== 0) throw malformed('marker with content')
    return type
  }

  #elements(count: number): unknown[] {
    const elements: unknown[] = []
    for (let i = 0; i < count; i++) elements.push(this.#value())
    return elements
  }

  #map(count: number): Map<unknown, unknown> {
    if (count % 2 !== 0) throw malformed('key without a value')
    const map = new Map<unknown, unknown>()
    for (let i = 0; i < count; i += 2) {
      const key = this.#value()
      map.set(key, this.#value())
    }
    return map
  }

  #set(count: number): Set<unknown> {
    const set = new Set<unknown>()
    for (let i = 0; i < count; i++) set.add(this.#value())
    return set
  }

  #string(length: number): string {
    const start = this.#skip(length)
    const buffer = this.#buffer
    if (length <= SHORT_STRING) {
      let text = ''
      let i = start
      for (; i < start + length; i++) {
        const code = buffer[i] ?? 0x80
        if (code >= 0x80) break
        text += String.fromCharCode(code)
      }
      if (i === start + length) return text
    }
    const text = buffer.toString('utf8', start, start + length)
    // What is not UTF-8 reads as this character: where it is absent, nothing has to be looked at again.
    if (!text.includes(REPLACEMENT) || isUtf8(buffer.subarray(start, start + length))) return text
    throw malformed('not UTF-8')
  }

  #binary(length: number): Buffer {
    const start = this.#skip(length)
    return Buffer.from(this.#buffer.subarray(start, start + length))
  }

  #undefined(): undefined {
    const start = this.#skip(2)
    if (this.#buffer[start] === Ext.undefined && this.#buffer[start + 1] === 0) return undefined
    throw malformed('marker in the wrong place')
  }

  #ext(length: number): unknown {
    const type = this.#uint8()
    const start = this.#skip(length)
    switch (type) {
      case Ext.date:
        if (length !== 8) throw malformed('date of the wrong size')
        return new Date(this.#buffer.readDoubleBE(start))
      case Ext.utf16:
        if (length % 2 !== 0) throw malformed('half a character')
        return this.#buffer.toString('utf16le', start, start + length)
      case Ext.bigint:
        return this.#bigint(start, length)
      default:
        throw malformed('extension not allowed')
    }
  }

  #bigint(start: number, length: number): bigint {
    const sign = this.#buffer[start]
    if (length < 2 || sign === undefined || sign > 1) throw malformed('bigint of the wrong shape')
    const magnitude = BigInt(`0x${this.#buffer.toString('hex', start + 1, start + length)}`)
    return sign === 1 ? -magnitude : magnitude
  }

  /** One container deeper; every element needs at least one byte. */
  #enter(elements: number): void {
    if (++this.#depth > this.#depthMax) throw malformed('nested too deeply')
    if (elements > this.#buffer.length - this.#at) throw malformed('more elements than bytes')
  }

  #length(size: number): number {
    if (size === 0) return this.#uint8()
    return size === 1 ? this.#buffer.readUInt16BE(this.#skip(2)) : this.#buffer.readUInt32BE(this.#skip(4))
  }

  #uint8(): number {
    return this.#buffer[this.#skip(1)] ?? 0
  }

  /** Moves past bytes that have to be there; returns where they begin. */
  #skip(bytes: number): number {
    const start = this.#at
    this.#at = start + bytes
    if (this.#at > this.#buffer.length) throw malformed('ends too early')
    return start
  }
}

function malformed(rule: string): Error {
  return new Error(`malformed value: ${rule}`)
}
