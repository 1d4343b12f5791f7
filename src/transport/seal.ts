/**
 * Every frame after the handshake proves who sent it, in which place of which connection.
 *
 *   sealed frame = message | sequence number 6 B | HMAC-SHA256(key, message | sequence number), first 16 B
 *
 * The keys are those of one connection and one direction, so a frame of an earlier connection or of the other
 * direction fails as a forged one does. Without a key (mutual TLS, or loopback without a secret) frames are
 * plain.
 */
import { timingSafeEqual } from 'node:crypto'
import { ProtocolError } from '../errors.js'
import { KeyedHash } from '../session/keyed-hash.js'
import { SEAL_BYTES } from './limits.js'

const SEQUENCE_BYTES = 6
const MAC_BYTES: number = SEAL_BYTES - SEQUENCE_BYTES

/** Seals the frames of one direction of one connection. */
export class FrameSealer {
  readonly #key: KeyedHash | undefined
  #sequence = 0

  constructor(key: Uint8Array | undefined) {
    this.#key = key === undefined ? undefined : new KeyedHash(key)
  }

  /** How many bytes sealing adds. */
  get overhead(): number {
    return this.#key === undefined ? 0 : SEAL_BYTES
  }

  /** The next frame. Must leave in the order of the calls. */
  seal(message: Uint8Array): Uint8Array {
    if (this.#key === undefined) return message
    const frame = Buffer.allocUnsafe(message.length + SEAL_BYTES)
    frame.set(message)
    frame.writeUIntBE(this.#sequence++, message.length, SEQUENCE_BYTES)
    const signed = message.length + SEQUENCE_BYTES
    this.#key.digest(frame, signed).copy(frame, signed, 0, MAC_BYTES)
    return frame
  }
}

/** Opens what the peer's FrameSealer sealed, in order. */
export class FrameOpener {
  readonly #key: KeyedHash | undefined
  #sequence = 0

  constructor(key: Uint8Array | undefined) {
    this.#key = key === undefined ? undefined : new KeyedHash(key)
  }

  /**
   * The message in the frame, as a view. Throws `bad-mac` (4401) or `sequence` (1002); then the link must
   * close.
   */
  open(frame: Uint8Array): Uint8Array {
    if (this.#key === undefined) return frame
    const signedLength = frame.length - MAC_BYTES
    if (signedLength < SEQUENCE_BYTES) throw unauthenticated()
    const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.length)
    const mac = this.#key.digest(bytes, signedLength).subarray(0, MAC_BYTES)
    if (!timingSafeEqual(mac, bytes.subarray(signedLength))) {
      throw unauthenticated()
    }
    const messageLength = signedLength - SEQUENCE_BYTES
    if (bytes.readUIntBE(messageLength, SEQUENCE_BYTES) !== this.#sequence) {
      throw new ProtocolError('sequence', 'the frame is out of its place')
    }
    this.#sequence += 1
    return bytes.subarray(0, messageLength)
  }
}

function unauthenticated(): ProtocolError {
  return new ProtocolError('bad-mac', 'the frame is not authenticated', 4401)
}
