import { LimitError } from '../../errors.js'
import { RegisterKind, type Attributes, type AttributeWrite, type SessionRef } from '../../session/session.js'
import { areSameBytes, areTexts, assertAttributeName, decodeValue, encodeValue } from '../../session/value.js'
import type { SessionLimits } from '../options.js'
import { attributesOf, jsonValue } from './json.js'
import { COOKIE, isSameCookie, isSameLifetime, lifetimeOf, type Lifetime } from './lifetime.js'

/** What one request was handed, or has saved since: what its next save is compared with. */
export interface Baseline extends Known {
  readonly id: string
  readonly ref: SessionRef
}

/** What is known to be stored of a session. */
export interface Known {
  readonly attributes: Attributes
  /** What was saved since those were read. */
  readonly saved: readonly AttributeWrite[]
  /** Of the attributes that could be handed out. */
  readonly names: readonly string[]
  /**
   * Their values, in the same order, as far as nobody can have changed them in place: those that are no objects, and the
   * cookie as it is kept. What is equal needs no encoding. Undefined: look.
   */
  readonly plain: readonly unknown[]
  readonly maxIdleMs: number
}

/** A session as it is to be saved: what differs from what is known, and its lifetime. */
export interface Image extends Pick<Known, 'names' | 'plain'> {
  readonly writes: readonly AttributeWrite[]
  readonly idleMs: number
  readonly leftMs: number | undefined
}

/** What a session without a baseline is compared with. */
export const NOTHING: Known = {
  attributes: new Map<string, Uint8Array>(),
  saved: [],
  names: [],
  plain: [],
  maxIdleMs: NaN,
}

/** `known`, once `image` was saved. */
export function after<K extends Known>(known: K, { names, plain, writes, idleMs }: Image): K {
  return { ...known, saved: writes, names, plain, maxIdleMs: idleMs }
}

/** The same with what was saved among the attributes: mostly nobody asks. */
export function settled<K extends Known>(known: K): K {
  if (known.saved.length === 0) return known
  const attributes = new Map<string, Uint8Array>()
  for (const name of known.attributes.keys()) put(attributes, name, known.attributes.get(name) ?? null)
  for (const { name, value } of known.saved) put(attributes, name, value)
  return { ...known, attributes, saved: [] }
}

function put(attributes: Map<string, Uint8Array>, name: string, value: Uint8Array | null): void {
  if (value === null) attributes.delete(name)
  else attributes.set(name, value)
}

/**
 * What a save has to write: what differs from what this request was handed. What other requests wrote meanwhile is in
 * neither, so it is left alone. `ttl`: the idle lifetime of a session whose cookie has none. `before` is settled; of it
 * is kept what only differs by the moment of looking. Throws AttributeError for what cannot be kept.
 */
export function imageOf(session: object, now: number, ttl: number, before: Known): Image {
  const names: string[] = []
  const plain: unknown[] = []
  const writes: AttributeWrite[] = []
  let lifetime: Lifetime | undefined
  let met = 0
  const source = attributesOf(session)
  for (const name of Object.keys(source)) {
    const raw = source[name]
    const isCookie = name === COOKIE
    if (isCookie) lifetime = lifetimeOf(raw, now, ttl)
    const value = isCookie ? lifetime?.cookie : jsonValue(raw, name)
    if (value === undefined) continue
    // Mostly they come in the order in which they were handed out.
    const at = before.names[names.length] === name ? names.length : before.names.indexOf(name)
    if (at >= 0) met++
    const known = at < 0 ? undefined : before.plain[at]
    const isKnown = isCookie ? isSameCookie(value, known) : value === known
    const write = isKnown ? undefined : writeOf(name, value, before)
    if (write !== undefined) writes.push(write)
    names.push(name)
    plain.push(isKnown ? known : isCookie || typeof value !== 'object' ? value : undefined)
  }
  if (met < before.names.length) {
    for (const name of before.names) if (!names.includes(name)) writes.push({ name, kind: RegisterKind.lww, value: null })
  }
  return { names, plain, writes, ...livesOf(lifetime ?? lifetimeOf(undefined, now, ttl), before) }
}

/** What was handed out, with the cookie and lifetime of now: an access does not save what else changed. */
export function withCookie(raw: unknown, now: number, ttl: number, before: Known): Image {
  const { names, plain } = before
  const lifetime = lifetimeOf(raw, now, ttl)
  const lives = livesOf(lifetime, before)
  const { cookie } = lifetime
  const at = names.indexOf(COOKIE)
  const write = cookie === undefined || isSameCookie(cookie, plain[at]) ? undefined : writeOf(COOKIE, cookie, before)
  if (write === undefined) return { names, plain, writes: [], ...lives }
  if (at < 0) return { names: [...names, COOKIE], plain: [...plain, cookie], writes: [write], ...lives }
  return { names, plain: plain.with(at, cookie), writes: [write], ...lives }
}

function livesOf({ idleMs, leftMs }: Lifetime, { maxIdleMs }: Known): Pick<Image, 'idleMs' | 'leftMs'> {
  return { idleMs: isSameLifetime(idleMs, maxIdleMs) ? maxIdleMs : idleMs, leftMs }
}

/** Throws LimitError when the session would be larger than allowed. */
export function assertWithin({ writes }: Image, { attributes: stored }: Known, limits: SessionLimits): void {
  let attributes = stored.size
  let bytes = stored.bytes ?? bytesOf(stored)
  for (const { name, value } of writes) {
    const before = stored.get(name)
    attributes += (value === null ? 0 : 1) - (before === undefined ? 0 : 1)
    bytes += sizeOf(name, value) - sizeOf(name, before)
  }
  if (attributes > limits.attributes) {
    throw new LimitError(`the session would have ${attributes} attributes, at most ${limits.attributes}`)
  }
  if (bytes > limits.bytes) throw new LimitError(`the session would take ${bytes} bytes, at most ${limits.bytes}`)
}

function bytesOf(attributes: Attributes): number {
  let bytes = 0
  for (const name of attributes.keys()) bytes += sizeOf(name, attributes.get(name))
  return bytes
}

function sizeOf(name: string, value: Uint8Array | null | undefined): number {
  return value === null || value === undefined ? 0 : name.length + value.byteLength
}

/** The value of an attribute; undefined where the bytes do not decode. */
export function valueOf(bytes: Uint8Array | undefined): unknown {
  const decoded = bytes === undefined ? undefined : decodeValue(bytes)
  return decoded?.ok === true ? decoded.value : undefined
}

/** What is to be written of an attribute whose value may be another one. */
function writeOf(name: string, value: unknown, { attributes }: Known): AttributeWrite | undefined {
  const stored = attributes.get(name)
  if (stored === undefined) assertAttributeName(name)
  const bytes = encodeValue(value, name)
  return isSame(bytes, stored, name) ? undefined : { name, kind: RegisterKind.lww, value: bytes }
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
