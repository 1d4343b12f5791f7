import { createHmac, timingSafeEqual } from 'node:crypto'
import { deriveKey } from './id.js'
import type { SessionRef } from './session.js'

const REF_BYTES = 14
const TAG_BYTES = 16
const CHARACTERS = ((REF_BYTES + TAG_BYTES) * 4) / 3

/**
 * What a page of devices may hold for each session, to end it by: the session's ref and a tag (truncated HMAC) over
 * it and its principal. It lets nobody in, cannot be made up, and is void once the session is somebody else's.
 */
export class EndHandles {
  readonly #keys: readonly Buffer[]

  /** `secrets`: the first signs, all verify. */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => deriveKey(secret, 'session end handle'))
  }

  make(ref: SessionRef, principal: string): string {
    const bytes = bytesOf(ref)
    return Buffer.concat([bytes, tagOf(bytes, principal, this.#keys[0] as Buffer)]).toString('base64url')
  }

  /** The session that a handle speaks of, before it is known whether it speaks the truth. */
  parse(handle: string): SessionRef | undefined {
    if (handle.length !== CHARACTERS || !/^[A-Za-z0-9_-]+$/.test(handle)) return undefined
    const bytes = Buffer.from(handle, 'base64url')
    return { actor: Number(bytes.readBigUInt64BE(0)), counter: bytes.readUIntBE(8, 6) }
  }

  /** Whether it was made for a session of this principal. */
  isFor(handle: string, principal: string): boolean {
    const bytes = Buffer.from(handle, 'base64url')
    const tag = bytes.subarray(REF_BYTES)
    return this.#keys.some((key) => {
      return tag.length === TAG_BYTES && timingSafeEqual(tagOf(bytes.subarray(0, REF_BYTES), principal, key), tag)
    })
  }
}

function bytesOf({ actor, counter }: SessionRef): Buffer {
  const bytes = Buffer.alloc(REF_BYTES)
  bytes.writeBigUInt64BE(BigInt(actor), 0)
  bytes.writeUIntBE(counter, 8, 6)
  return bytes
}

function tagOf(ref: Buffer, principal: string, key: Buffer): Buffer {
  return createHmac('sha256', key).update(ref).update(principal, 'utf8').digest().subarray(0, TAG_BYTES)
}
