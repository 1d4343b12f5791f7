import type { RedisArgument } from './dial.js'

/** Texts longer than this are measured before they are written, instead of taking room for the worst case. */
const MEASURED_FROM = 256
/** `$`, a length, and twice the end of a line. */
const FRAME_BYTES = 24
const UTF8_BYTES_MAX = 3
const ASCII_MAX = 0x7f
const [CARRIAGE_RETURN, LINE_FEED, DOLLAR, ASTERISK, ZERO] = [13, 10, 36, 42, 48]

/**
 * A command as it goes over the wire: an array of byte strings (RESP). ioredis makes that too, piece by piece; done
 * in one go, a new session of ten attributes takes a fifth less of a node's time.
 */
export function commandBytes(name: string, args: readonly RedisArgument[]): Buffer {
  let room = 2 * FRAME_BYTES + bytesAtMost(name)
  for (const arg of args) room += FRAME_BYTES + bytesAtMost(arg)
  const bytes = Buffer.allocUnsafe(room)
  let at = writeLength(bytes, 0, ASTERISK, args.length + 1)
  at = writeText(bytes, at, name)
  for (const arg of args) at = typeof arg === 'object' ? writeBytes(bytes, at, arg) : writeText(bytes, at, String(arg))
  return bytes.subarray(0, at)
}

function bytesAtMost(arg: RedisArgument): number {
  if (typeof arg === 'number') return FRAME_BYTES
  if (typeof arg === 'object') return arg.length
  return arg.length < MEASURED_FROM ? arg.length * UTF8_BYTES_MAX : Buffer.byteLength(arg)
}

function writeBytes(bytes: Buffer, at: number, value: Uint8Array): number {
  const from = writeLength(bytes, at, DOLLAR, value.length)
  bytes.set(value, from)
  return writeEnd(bytes, from + value.length)
}

function writeText(bytes: Buffer, at: number, text: string): number {
  if (text.length >= MEASURED_FROM) return writeBytes(bytes, at, Buffer.from(text))
  const from = writeLength(bytes, at, DOLLAR, text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > ASCII_MAX) return writeBytes(bytes, at, Buffer.from(text))
    bytes[from + i] = code
  }
  return writeEnd(bytes, from + text.length)
}

function writeLength(bytes: Buffer, at: number, type: number, length: number): number {
  bytes[at] = type
  let digits = 1
  for (let rest = length; rest >= 10; rest = Math.floor(rest / 10)) digits++
  let left = length
  for (let i = at + digits; i > at; i--) {
    bytes[i] = ZERO + (left % 10)
    left = Math.floor(left / 10)
  }
  return writeEnd(bytes, at + digits + 1)
}

function writeEnd(bytes: Buffer, at: number): number {
  bytes[at] = CARRIAGE_RETURN
  bytes[at + 1] = LINE_FEED
  return at + 2
}
