/**
 * Message <-> bytes. The only file that uses msgpackr for the wire, and never without scanning first:
 * msgpackr accepts far more than this protocol (records, extensions, references), and its error texts quote
 * content.
 */
import { Packr } from 'msgpackr'
import { ProtocolError } from '../errors.js'
import type { Message } from '../replica/events.js'
import { readMessage } from './codec-read.js'
import { messageFields } from './codec-write.js'
import type { Fields } from './fields.js'
import { scanFrame } from './frame-scan.js'
import { MAX_MESSAGE_BYTES } from './limits.js'

const packr = new Packr({ useRecords: false })

/**
 * The bytes of a message. Throws when they would not fit into one frame: the message must be split before.
 */
export function encodeMessage(message: Message): Uint8Array {
  const bytes = pack(messageFields(message))
  if (bytes.length > MAX_MESSAGE_BYTES) {
    const text = `a ${message.type} of ${bytes.length} bytes does not fit into a frame`
    throw new ProtocolError('frame-size', text, 1009)
  }
  return bytes
}

/**
 * The message in one frame. Undefined: an optional message of a later version, to be skipped. Anything else
 * that is not exactly a message of this protocol throws a ProtocolError with the rule it broke and no
 * content.
 */
export function decodeMessage(bytes: Uint8Array): Message | undefined {
  return readMessage(unpack(bytes))
}

/** Any array of plain values as msgpack. */
export function pack(fields: Fields): Uint8Array {
  return packr.pack(fields)
}

/** One scanned msgpack array. Binary values in it are views into `bytes`. */
export function unpack(bytes: Uint8Array): Fields {
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new ProtocolError('frame-size', 'the message is too large', 1009)
  }
  scanFrame(bytes)
  const value: unknown = packr.unpack(bytes)
  if (!Array.isArray(value)) throw new ProtocolError('type-not-allowed', 'a message is an array')
  return value
}
