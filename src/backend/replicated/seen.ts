/**
 * Stamps on their way through the browser: sealed, in a few slots. Parallel answers overwrite each other's cookies, so
 * what a browser has seen is spread over slots by origin, and an answer sets only the slots it raised.
 *
 *   token = base64url( version 1 B | highest 7 B | touched 6 B | n x (actor 7 B, counter 6 B) | MAC 8 B )
 *
 * The MAC (truncated HMAC-SHA256) covers the session's birth: a token is void for any other session, and survives a
 * change of id. 64 bits are enough: a forged token can at worst cause one bounded wait.
 */
import { timingSafeEqual } from 'node:crypto'
import type { Stamp } from '../../replica/events.js'
import { STAMP_DOTS_MAX } from '../../replica/stamp.js'
import { deriveKey } from '../../session/id.js'
import { KeyedHash } from '../../session/keyed-hash.js'
import { sameDot, type Dot } from '../../session/session.js'
import type { SeenTokens } from '../backend.js'

const VERSION = 1
const HEAD_BYTES = 14
const DOT_BYTES = 13
const MAC_BYTES = 8
/** A browser carries one for each node whose writes it saw lately. Two nodes share one in 1 of 16 clusters of two. */
const SLOTS = 16
const BIRTH_BYTES = 13
const TOKEN_CHARACTERS_MAX = Math.ceil(((HEAD_BYTES + STAMP_DOTS_MAX * DOT_BYTES + MAC_BYTES) * 4) / 3)

/** What a MAC is made of, put together here. */
const signed = Buffer.alloc(BIRTH_BYTES + TOKEN_CHARACTERS_MAX)

/** Where the events of an actor are noted. */
function slotOf(actor: number): number {
  return actor % SLOTS
}

/** Seals stamps into tokens and opens them; the first key seals, every one opens. */
export class SeenSealer {
  readonly #keys: readonly KeyedHash[]
  /** What was opened last: most requests bring the same tokens to their commit right after their load. */
  #last: { readonly tokens: SeenTokens; readonly birth: Dot; readonly stamp: Stamp | undefined } | undefined

  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => new KeyedHash(deriveKey(secret, 'stamp')))
  }

  /** Joins the valid tokens of one session. Invalid ones are worth nothing, and change nothing. */
  open(tokens: SeenTokens | undefined, birth: Dot): Stamp | undefined {
    if (tokens === undefined) return undefined
    const last = this.#last
    if (last?.tokens === tokens && sameDot(last.birth, birth)) return last.stamp
    const stamp = this.#openAll(tokens, birth)
    this.#last = { tokens, birth, stamp }
    return stamp
  }

  /**
   * What the tokens claim, for a session whose birth is not known yet. Unproved, so it is good for one thing: waiting
   * until what they claim has arrived. Accesses are left out.
   */
  claim(tokens: SeenTokens | undefined): Stamp | undefined {
    let joined: Stamp | undefined
    for (const token of tokens?.values() ?? []) {
      const bytes = contentOf(token)
      if (bytes === undefined) continue
      const stamp = { ...read(bytes), touchedAt: 0 }
      joined = joined === undefined ? stamp : join(joined, stamp)
    }
    return joined
  }

  /** Tokens of the slots in which `after` says something that `before` did not, or no longer says what is lost. */
  seal(after: Stamp, before: Stamp | undefined, birth: Dot, lost: boolean): SeenTokens | undefined {
    const changed = new Set<number>()
    for (const dot of after.dots) if (!isNoted(dot, before)) changed.add(slotOf(dot.actor))
    if (lost) for (const { actor } of before?.dots ?? []) changed.add(slotOf(actor))
    if (changed.size === 0) return undefined
    const tokens = new Map<string, string>()
    for (const slot of changed) {
      const dots = after.dots.filter(({ actor }) => slotOf(actor) === slot)
      tokens.set(String(slot), this.#sealOne({ ...after, dots }, birth))
    }
    return tokens
  }

  #sealOne(stamp: Stamp, birth: Dot): string {
    const bytes = Buffer.allocUnsafe(HEAD_BYTES + stamp.dots.length * DOT_BYTES + MAC_BYTES)
    bytes[0] = VERSION
    writeUint(bytes, stamp.highest, 1, 7)
    writeUint(bytes, Math.floor(stamp.touchedAt), 8, 6)
    stamp.dots.forEach(({ actor, counter }, i) => {
      writeUint(bytes, actor, HEAD_BYTES + i * DOT_BYTES, 7)
      writeUint(bytes, counter, HEAD_BYTES + i * DOT_BYTES + 7, 6)
    })
    const end = bytes.length - MAC_BYTES
    macOf(bytes, end, birth, this.#keys[0] as KeyedHash).copy(bytes, end)
    return bytes.toString('base64url')
  }

  #openAll(tokens: SeenTokens, birth: Dot): Stamp | undefined {
    let joined: Stamp | undefined
    for (const token of tokens.values()) {
      const stamp = this.#openOne(token, birth)
      if (stamp !== undefined) joined = joined === undefined ? stamp : join(joined, stamp)
    }
    return joined
  }

  #openOne(token: string, birth: Dot): Stamp | undefined {
    const bytes = contentOf(token)
    if (bytes === undefined) return undefined
    const end = bytes.length - MAC_BYTES
    const isOurs = this.#keys.some((key) => timingSafeEqual(macOf(bytes, end, birth, key), bytes.subarray(end)))
    return isOurs ? read(bytes) : undefined
  }
}

/** The bytes of something that has the form of a token. */
function contentOf(token: string): Buffer | undefined {
  if (token.length > TOKEN_CHARACTERS_MAX) return undefined
  const bytes = Buffer.from(token, 'base64url')
  const dots = bytes.length - HEAD_BYTES - MAC_BYTES
  return bytes[0] === VERSION && dots >= 0 && dots % DOT_BYTES === 0 ? bytes : undefined
}

function isNoted({ actor, counter }: Dot, stamp: Stamp | undefined): boolean {
  return stamp !== undefined && stamp.dots.some((dot) => dot.actor === actor && dot.counter >= counter)
}

function read(bytes: Buffer): Stamp {
  const dots: Dot[] = []
  for (let at = HEAD_BYTES; at < bytes.length - MAC_BYTES; at += DOT_BYTES) {
    dots.push({ actor: readUint(bytes, at, 7), counter: readUint(bytes, at + 7, 6) })
  }
  return { highest: readUint(bytes, 1, 7), touchedAt: readUint(bytes, 8, 6), dots }
}

function join(a: Stamp, b: Stamp): Stamp {
  const dots = [...a.dots]
  for (const dot of b.dots) {
    const at = dots.findIndex((held) => held.actor === dot.actor)
    if (at < 0) dots.push(dot)
    else if ((dots[at] as Dot).counter < dot.counter) dots[at] = dot
  }
  return { highest: Math.max(a.highest, b.highest), touchedAt: Math.max(a.touchedAt, b.touchedAt), dots }
}

/** Of the birth, and the bytes before `end`. */
function macOf(bytes: Buffer, end: number, birth: Dot, key: KeyedHash): Buffer {
  writeUint(signed, birth.actor, 0, 7)
  writeUint(signed, birth.counter, 7, 6)
  bytes.copy(signed, BIRTH_BYTES, 0, end)
  return key.digest(signed, BIRTH_BYTES + end).subarray(0, MAC_BYTES)
}

/** Unsigned big-endian of up to 7 bytes: Buffer's own methods end at 6, times and actors need 53 bits. */
function writeUint(bytes: Buffer, value: number, at: number, length: 6 | 7): void {
  if (length === 7) bytes[at] = Math.floor(value / 2 ** 48)
  bytes.writeUIntBE(value % 2 ** 48, length === 7 ? at + 1 : at, 6)
}

function readUint(bytes: Buffer, at: number, length: 6 | 7): number {
  const low = bytes.readUIntBE(length === 7 ? at + 1 : at, 6)
  return length === 7 ? (bytes[at] as number) * 2 ** 48 + low : low
}
