import { createHmac, hash } from 'node:crypto'
import { invariant } from '../invariant.js'

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
/** Frames of a created session are below. Beyond, hashing takes longer than everything around it. */
const SHORT_BYTES_MAX = 16 * 1024

/**
 * HMAC-SHA256 (RFC 2104) under a key that stays. For short messages two one-shot hashes take a third of what an Hmac
 * object of Node's takes, and leave nothing behind that the collector has to finalise.
 */
export class KeyedHash {
  readonly #key: Uint8Array
  /** The key, padded and masked for the inner hash, and room for a message behind it; likewise for the outer one. */
  readonly #room = Buffer.alloc(BLOCK_BYTES + SHORT_BYTES_MAX)
  #inner = this.#room
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES)
  readonly #digest = Buffer.alloc(DIGEST_BYTES)

  constructor(key: Uint8Array) {
    invariant(key.length <= BLOCK_BYTES, 'a longer key has to be hashed first')
    this.#key = key
    for (let i = 0; i < BLOCK_BYTES; i++) {
      this.#room[i] = (key[i] ?? 0) ^ 0x36
      this.#outer[i] = (key[i] ?? 0) ^ 0x5c
    }
  }

  /** Of the first `length` bytes of `from`. The next call writes over what it returns. */
  digest(from: Buffer, length: number = from.length): Buffer {
    if (length > SHORT_BYTES_MAX) return createHmac('sha256', this.#key).update(from.subarray(0, length)).digest()
    if (this.#inner.length !== BLOCK_BYTES + length) this.#inner = this.#room.subarray(0, BLOCK_BYTES + length)
    from.copy(this.#room, BLOCK_BYTES, 0, length)
    this.#outer.write(hash('sha256', this.#inner, 'binary'), BLOCK_BYTES, 'binary')
    this.#digest.write(hash('sha256', this.#outer, 'binary'), 'binary')
    return this.#digest
  }
}
