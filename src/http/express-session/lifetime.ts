import { expiresAt, type SessionRecord } from '../../session/session.js'
import { isObject } from './json.js'

/** What a session's cookie says of its lifetime, and what is kept of the cookie. */
export interface Lifetime {
  /** Not positive: the session is over. Infinity: never. */
  readonly idleMs: number
  /** Milliseconds until the moment that the cookie names, if it names one. */
  readonly leftMs: number | undefined
  /** Without the moment of expiry where that follows from the last access: it moves with every one. */
  readonly cookie: unknown
}

/** express-session takes the time twice to set a lifetime, so it may differ by the milliseconds in between. */
const DRIFT_MS = 20
const DRIFT_SHARE = 0.01

/** `cookie`: after JSON. `ttl`: the idle lifetime of a session whose cookie has none. */
export function lifetimeOf(cookie: unknown, now: number, ttl: number): Lifetime {
  if (!isObject(cookie)) return { idleMs: ttl, leftMs: undefined, cookie }
  // `originalExpires` is what @fastify/session makes of the moment of expiry.
  const { expires, originalExpires: _, ...rest } = cookie
  const leftMs = timeUntil(expires, now)
  const age = finite(cookie['originalMaxAge'])
  const idleMs = age ?? leftMs ?? finite(cookie['maxAge']) ?? ttl
  return { idleMs, leftMs, cookie: leftMs === undefined || age === undefined ? cookie : rest }
}

/** The kept cookie as it is at present: with the moment of expiry again, where it has a lifetime. */
export function cookieOf(kept: unknown, session: SessionRecord): unknown {
  if (!isObject(kept)) return kept
  const at = finite(kept['originalMaxAge']) === undefined ? Infinity : expiresAt(session)
  return Number.isFinite(at) ? { ...kept, expires: new Date(at).toISOString() } : { ...kept }
}

/** Whether two lifetimes are one, taken at different moments. */
export function isSameLifetime(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= Math.min(DRIFT_MS, a * DRIFT_SHARE)
}

/** Whether two kept cookies say the same. */
export function isSameCookie(a: unknown, b: unknown): boolean {
  if (!isObject(a) || !isObject(b)) return a === b
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every((name) => (name === 'originalMaxAge' ? isSameAge(a[name], b[name]) : isSameSetting(a[name], b[name])))
}

function isSameAge(a: unknown, b: unknown): boolean {
  return typeof a === 'number' && typeof b === 'number' ? isSameLifetime(a, b) : a === b
}

function isSameSetting(a: unknown, b: unknown): boolean {
  return a === b || (isObject(a) && isObject(b) && JSON.stringify(a) === JSON.stringify(b))
}

function timeUntil(moment: unknown, now: number): number | undefined {
  if (typeof moment !== 'string' && typeof moment !== 'number') return undefined
  return finite(new Date(moment).getTime() - now)
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
