/**
 * Session ids that say of themselves which event made them, so that a node that does not hold one can tell "not yet
 * arrived" from "over" without asking anybody.
 *
 *   id = base64url( random 18 B | mask( actor tag 4 B, counter 6 B, shard 2 B ) | tag 6 B )      48 characters
 *
 * The random part (144 bits from a CSPRNG) is the credential. The dot is masked with a PRF of it, and the tag
 * (truncated HMAC over all before it) lets a node refuse a made-up id without asking its peers. All keys derive from
 * the cluster secrets: the first makes ids, every one of them is accepted.
 */
import { hash as hashOnce, hkdfSync, timingSafeEqual } from 'node:crypto'
import { KeyedHash } from './keyed-hash.js'
import { actorTag, type Dot, type IdHash, type IdOrigin, type SessionId } from './session.js'

const RANDOM_BYTES = 18
const MASKED_BYTES = 12
const TAG_BYTES = 6
const TAGGED_BYTES = RANDOM_BYTES + MASKED_BYTES
const ID_BYTES = TAGGED_BYTES + TAG_BYTES
const ID_CHARACTERS = (ID_BYTES * 4) / 3
const WELL_FORMED = /^[A-Za-z0-9_-]{48}$/

/** What an id says of itself once its tag was checked. */
export interface ParsedId extends IdOrigin {
  readonly shard: number
}

/** Characters of the longest id that is looked up at all. */
const USABLE_CHARACTERS_MAX = 256

/** Whether `id` could be one of ours: 48 base64url characters. */
export function isWellFormed(id: string): id is SessionId {
  return id.length === ID_CHARACTERS && WELL_FORMED.test(id)
}

/** Whether `id` can name a session: one of ours, or one that somebody else made. Nothing longer is even hashed. */
export function isUsableId(id: string): id is SessionId {
  return id.length > 0 && id.length <= USABLE_CHARACTERS_MAX
}

/** An id that somebody else made. Throws when a session of that id could never be found. */
export function foreignId(id: string): SessionId {
  if (isUsableId(id)) return id
  throw new TypeError(`an id of ${id.length} characters cannot name a session (1 to ${USABLE_CHARACTERS_MAX})`)
}

/** The name of an id in tables, on the wire and in logs. */
export function hashId(id: string): IdHash {
  return hashOnce('sha256', id, 'base64url').slice(0, 22) as IdHash
}

/** The same hash as a text of its own, for tables: what `hashId` makes keeps its whole digest in memory. */
export function keptHash(hash: IdHash): IdHash {
  return Buffer.from(hash, 'latin1').toString('latin1') as IdHash
}

interface Keys {
  readonly mask: KeyedHash
  readonly tag: KeyedHash
}

/** Makes and reads session ids. */
export class IdCodec {
  readonly #keys: readonly Keys[]
  readonly #randomBytes: (bytes: number) => Uint8Array

  /** `secrets`: the first makes ids, all are accepted. */
  constructor(secrets: readonly string[], randomBytes: (bytes: number) => Uint8Array) {
    this.#keys = secrets.map((secret) => ({
      mask: new KeyedHash(deriveKey(secret, 'session id mask')),
      tag: new KeyedHash(deriveKey(secret, 'session id tag')),
    }))
    this.#randomBytes = randomBytes
  }

  /** A new id, made by the event `dot`. */
  make(dot: Dot, shard = 0): SessionId {
    const keys = this.#keys[0] as Keys
    const bytes = Buffer.allocUnsafe(ID_BYTES)
    bytes.set(this.#randomBytes(RANDOM_BYTES), 0)
    bytes.writeUInt32BE(actorTag(dot.actor), RANDOM_BYTES)
    bytes.writeUIntBE(dot.counter, RANDOM_BYTES + 4, 6)
    bytes.writeUInt16BE(shard, RANDOM_BYTES + 10)
    applyMask(bytes, keys.mask)
    keys.tag.digest(bytes, TAGGED_BYTES).copy(bytes, TAGGED_BYTES, 0, TAG_BYTES)
    return bytes.toString('base64url') as SessionId
  }

  /** What a well-formed id says of itself, or undefined when no secret of ours made it. */
  parse(id: SessionId): ParsedId | undefined {
    const bytes = Buffer.from(id, 'base64url')
    if (bytes.length !== ID_BYTES) return undefined
    const tag = bytes.subarray(TAGGED_BYTES)
    const tagBy = (key: KeyedHash): Buffer => key.digest(bytes, TAGGED_BYTES).subarray(0, TAG_BYTES)
    const keys = this.#keys.find((candidate) => timingSafeEqual(tagBy(candidate.tag), tag))
    if (keys === undefined) return undefined

    applyMask(bytes, keys.mask)
    return {
      actorTag: bytes.readUInt32BE(RANDOM_BYTES),
      counter: bytes.readUIntBE(RANDOM_BYTES + 4, 6),
      shard: bytes.readUInt16BE(RANDOM_BYTES + 10),
    }
  }
}

/** A 32-byte key for one purpose, so that no two uses of a secret share a key (RFC 5869). */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'session-mesh', purpose, 32))
}

function applyMask(bytes: Buffer, key: KeyedHash): void {
  const mask = key.digest(bytes, RANDOM_BYTES)
  for (let i = 0; i < MASKED_BYTES; i++) bytes[RANDOM_BYTES + i]! ^= mask[i]!
}
