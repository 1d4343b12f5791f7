import { LimitError } from '../../errors.js'
import { RegisterKind, type Attributes, type AttributeWrite, type SessionRef } from '../../session/session.js'
import { assertAttributeName, decodeValue, encodeValue } from '../../session/value.js'
import type { SessionLimits } from '../options.js'
import { attributesOf, jsonValue } from './json.js'
import { isSameCookie, isSameLifetime, lifetimeOf } from './lifetime.js'

/** The attribute that holds the cookie's settings: express-session keeps them with the session. */
export const COOKIE = 'cookie'

/** What one request was handed, or has saved since: what its next save is compared with. */
export interface Baseline {
  readonly id: string
  readonly ref: SessionRef
  readonly attributes: Attributes
  readonly maxIdleMs: number
}

/** A session as it is to be saved: every attribute encoded, and its lifetime. */
export interface Image {
  readonly attributes: ReadonlyMap<string, Uint8Array>
  readonly idleMs: number
  readonly leftMs: number | undefined
}

/** `ttl`: the idle lifetime of a session whose cookie has none. Throws AttributeError for what cannot be kept. */
export function imageOf(session: object, now: number, ttl: number): Image {
  const attributes = new Map<string, Uint8Array>()
  let lifetime = lifetimeOf(undefined, now, ttl)
  for (const [name, raw] of attributesOf(session)) {
    let value = jsonValue(raw, name)
    if (value === undefined) continue
    assertAttributeName(name)
    if (name === COOKIE) {
      lifetime = lifetimeOf(value, now, ttl)
      value = lifetime.cookie
    }
    attributes.set(name, encodeValue(value, name))
  }
  return { attributes, idleMs: lifetime.idleMs, leftMs: lifetime.leftMs }
}

/** The image with its cookie and lifetime as they were, where they differ only by the moment of looking. */
export function settled(image: Image, { attributes, maxIdleMs }: Baseline): Image {
  const [before, after] = [attributes.get(COOKIE), image.attributes.get(COOKIE)]
  const idleMs = isSameLifetime(image.idleMs, maxIdleMs) ? maxIdleMs : image.idleMs
  if (before === undefined || after === undefined || !isSameCookie(valueOf(before), valueOf(after))) return { ...image, idleMs }
  return { ...image, idleMs, attributes: new Map(image.attributes).set(COOKIE, before) }
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
  if (Buffer.compare(value, stored) === 0) return true
  try {
    return Buffer.compare(value, encodeValue(jsonValue(valueOf(stored), name), name)) === 0
  } catch {
    return false
  }
}
