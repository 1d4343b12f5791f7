import { LimitError } from '../../errors.js'
import { RegisterKind, type Attributes, type AttributeWrite, type SessionRef } from '../../session/session.js'
import { areSameBytes, areTexts, assertAttributeName, decodeValue, encodeValue } from '../../session/value.js'
import type { SessionLimits } from '../options.js'
import { attributesOf, jsonValue } from './json.js'
import { COOKIE, isSameCookie, isSameLifetime, lifetimeOf } from './lifetime.js'

/** What one request was handed, or has saved since: what its next save is compared with. */
export interface Baseline {
  readonly id: string
  readonly ref: SessionRef
  readonly attributes: Attributes
  /** The same decoded, as far as nobody can have changed it in place: what is equal needs no encoding. */
  readonly plain: Plain
  readonly maxIdleMs: number
}

/** Values that are no objects, and the cookie as it is kept. */
export type Plain = ReadonlyMap<string, unknown>

/** A session as it is to be saved: every attribute encoded, and its lifetime. */
export interface Image {
  readonly attributes: ReadonlyMap<string, Uint8Array>
  readonly plain: Plain
  readonly idleMs: number
  readonly leftMs: number | undefined
}

/** What a session without a baseline is compared with. */
export const NOTHING: Pick<Baseline, 'attributes' | 'plain' | 'maxIdleMs'> = {
  attributes: new Map<string, Uint8Array>(),
  plain: new Map<string, unknown>(),
  maxIdleMs: NaN,
}

/**
 * `ttl`: the idle lifetime of a session whose cookie has none. Of `before` is kept what only differs by the moment of
 * looking. Throws AttributeError for what cannot be kept.
 */
export function imageOf(session: object, now: number, ttl: number, before: Omit<Baseline, 'id' | 'ref'>): Image {
  const attributes = new Map<string, Uint8Array>()
  const plain = new Map<string, unknown>()
  let lifetime = lifetimeOf(undefined, now, ttl)
  const source = attributesOf(session)
  for (const name of Object.keys(source)) {
    const raw = source[name]
    const isCookie = name === COOKIE
    if (isCookie) lifetime = lifetimeOf(raw, now, ttl)
    const value = isCookie ? lifetime.cookie : jsonValue(raw, name)
    if (value === undefined) continue
    const known = before.plain.get(name)
    const stored = isCookie ? isSameCookie(value, known) : value === known
    const bytes = stored ? before.attributes.get(name) : undefined
    if (bytes === undefined) assertAttributeName(name)
    attributes.set(name, bytes ?? encodeValue(value, name))
    if (isCookie || typeof value !== 'object') plain.set(name, bytes === undefined ? value : known)
  }
  const { leftMs } = lifetime
  const idleMs = isSameLifetime(lifetime.idleMs, before.maxIdleMs) ? before.maxIdleMs : lifetime.idleMs
  return { attributes, plain, idleMs, leftMs }
}

/**
 * What a save has to write: what differs from what this request was handed. What other requests wrote meanwhile is in
 * neither, so it is left alone.
 */
export function changes(image: Image, before: Attributes): readonly AttributeWrite[] {
  const writes: AttributeWrite[] = []
  for (const [name, value] of image.attributes) {
    if (!isSame(value, before.get(name), name)) writes.push({ name, kind: RegisterKind.lww, value })
  }
  for (const name of before.keys()) {
    // What could not be decoded was not handed out, so its absence says nothing.
    if (image.attributes.has(name) || !isReadable(before.get(name))) continue
    writes.push({ name, kind: RegisterKind.lww, value: null })
  }
  return writes
}

/** Throws LimitError when the session would be larger than allowed. */
export function assertWithin({ attributes }: Image, limits: SessionLimits): void {
  let bytes = 0
  for (const [name, value] of attributes) bytes += name.length + value.byteLength
  if (attributes.size > limits.attributes) {
    throw new LimitError(`the session would have ${attributes.size} attributes, at most ${limits.attributes}`)
  }
  if (bytes > limits.bytes) throw new LimitError(`the session would take ${bytes} bytes, at most ${limits.bytes}`)
}

/** The value of an attribute; undefined where the bytes do not decode. */
export function valueOf(bytes: Uint8Array | undefined): unknown {
  const decoded = bytes === undefined ? undefined : decodeValue(bytes)
  return decoded?.ok === true ? decoded.value : undefined
}

function isReadable(bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && decodeValue(bytes).ok
}

/** Where the bytes differ, something richer than JSON may be stored: what counts is what JSON makes of it. */
function isSame(value: Uint8Array, stored: Uint8Array | undefined, name: string): boolean {
  if (stored === undefined) return false
  if (value === stored || areSameBytes(value, stored)) return true
  if (areTexts(value, stored)) return false
  try {
    return Buffer.compare(value, encodeValue(jsonValue(valueOf(stored), name), name)) === 0
  } catch {
    return false
  }
}
