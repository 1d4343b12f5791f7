import { isUtf8 } from 'node:buffer'
import { ProtocolError } from '../errors.js'
import { MAX_DEPTH, MAX_ELEMENTS } from './limits.js'

/**
 * Walks one msgpack value before any decoder sees it, without allocating what the bytes declare.
 *
 * Allowed: nil, booleans, integers of up to 32 bits, float64, well-formed UTF-8 text, binary, arrays. Nothing
 * else: no maps, no extensions (hence no records, dates, errors, references), no 64-bit integers. Every
 * declared length must be there, nothing may follow the value, and nesting and the number of elements are
 * bounded.
 */
export function scanFrame(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new ProtocolError('empty-frame', 'the frame is empty')
  const end = new FrameScan(bytes).run()
  if (end < bytes.length) throw new ProtocolError('trailing-bytes', 'bytes follow the end of the message')
}

const NIL = 0xc0
const FALSE = 0xc2
const TRUE = 0xc3
const BIN8 = 0xc4
const BIN16 = 0xc5
const BIN32 = 0xc6
const FLOAT64 = 0xcb
const UINT8 = 0xcc
const UINT16 = 0xcd
const UINT32 = 0xce
const INT8 = 0xd0
const INT16 = 0xd1
const INT32 = 0xd2
const STR8 = 0xd9
const STR16 = 0xda
const STR32 = 0xdb
const ARRAY16 = 0xdc
const ARRAY32 = 0xdd

class FrameScan {
  readonly #bytes: Uint8Array
  #at = 0
  #elements = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Where the value ends. */
  run(): number {
    const open: number[] = []
    let left = 1
    for (;;) {
      while (left === 0) {
        const outer = open.pop()
        if (outer === undefined) return this.#at
        left = outer
      }
      left -= 1
      const items = this.#element()
      if (items < 0) continue
      if (open.length === MAX_DEPTH) throw new ProtocolError('depth', 'arrays are nested too deep')
      open.push(left)
      left = items
    }
  }

  /** Steps over one element: the number of its items if it is an array, else -1. */
  #element(): number {
    this.#elements += 1
    if (this.#elements > MAX_ELEMENTS) {
      throw new ProtocolError('elements', 'the message has too many elements')
    }
    const type = this.#uint(1)
    if (type < 0x80 || type >= 0xe0) return -1
    if (type >= 0xa0 && type < 0xc0) return this.#text(type & 0x1f)
    if (type >= 0x90 && type < 0xa0) return this.#items(type & 0x0f)
    return this.#longElement(type)
  }

  #longElement(type: number): number {
    switch (type) {
      case NIL:
      case FALSE:
      case TRUE:
        return -1
      case UINT8:
      case INT8:
        return this.#skip(1)
      case UINT16:
      case INT16:
        return this.#skip(2)
      case UINT32:
      case INT32:
        return this.#skip(4)
      case FLOAT64:
        return this.#skip(8)
      case BIN8:
        return this.#skip(this.#uint(1))
      case BIN16:
        return this.#skip(this.#uint(2))
      case BIN32:
        return this.#skip(this.#uint(4))
      case STR8:
        return this.#text(this.#uint(1))
      case STR16:
        return this.#text(this.#uint(2))
      case STR32:
        return this.#text(this.#uint(4))
      case ARRAY16:
        return this.#items(this.#uint(2))
      case ARRAY32:
        return this.#items(this.#uint(4))
      default:
        throw new ProtocolError('type-not-allowed', 'type not allowed')
    }
  }

  #uint(size: number): number {
    this.#need(size)
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + this.#bytes[this.#at++]!
    return value
  }

  #skip(length: number): -1 {
    this.#need(length)
    this.#at += length
    return -1
  }

  /** Decoders disagree about bytes that are not UTF-8, so they are refused; most text is short and ASCII. */
  #text(length: number): -1 {
    const start = this.#at
    this.#skip(length)
    for (let i = start; i < this.#at; i++) {
      if (this.#bytes[i]! < 0x80) continue
      if (isUtf8(this.#bytes.subarray(i, this.#at))) break
      throw new ProtocolError('text', 'text is not well-formed UTF-8')
    }
    return -1
  }

  /**
   * Every item takes at least one byte, so a declared length beyond the end is refused before it costs
   * anything.
   */
  #items(count: number): number {
    this.#need(count)
    return count
  }

  #need(length: number): void {
    if (length > this.#bytes.length - this.#at) {
      throw new ProtocolError('truncated', 'the message ends too early')
    }
  }
}
