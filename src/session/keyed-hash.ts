import { hash } from 'node:crypto'
import { invariant } from '../invariant.js'

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32

/**
 * HMAC-SHA256 (RFC 2104) under a key that stays, of messages of one length. Two one-shot hashes take a third of what an
 * Hmac object of Node's takes, and leave nothing behind that the collector has to finalise.
 */
export class KeyedHash {
  /** The key, padded and masked for the inner hash, and the message behind it; likewise for the outer one. */
  readonly #inner: Buffer
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES)
  readonly #digest = Buffer.alloc(DIGEST_BYTES)

  constructor(key: Uint8Array, messageBytes: number) {
    invariant(key.length <= BLOCK_BYTES, 'a longer key has to be hashed first')
    this.#inner = Buffer.alloc(BLOCK_BYTES + messageBytes)
    for (let i = 0; i < BLOCK_BYTES; i++) {
      this.#inner[i] = (key[i] ?? 0) ^ 0x36
      this.#outer[i] = (key[i] ?? 0) ^ 0x5c
    }
  }

  /** Of the first bytes of `from`, as many as a message has. The next call writes over what it returns. */
  digest(from: Buffer): Buffer {
    from.copy(this.#inner, BLOCK_BYTES, 0, this.#inner.length - BLOCK_BYTES)
    this.#outer.write(hash('sha256', this.#inner, 'binary'), BLOCK_BYTES, 'binary')
    this.#digest.write(hash('sha256', this.#outer, 'binary'), 'binary')
    return this.#digest
  }
}
