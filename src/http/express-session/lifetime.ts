import { expiresAt, type SessionRecord } from '../../session/session.js'
import { isObject, jsonCopy, jsonValue } from './json.js'

/** The attribute that holds the cookie's settings: express-session keeps them with the session. */
export const COOKIE = 'cookie'

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

/** `raw`: the cookie as the session has it. `ttl`: the idle lifetime of a session whose cookie has none. */
export function lifetimeOf(raw: unknown, now: number, ttl: number): Lifetime {
  const cookie = isObject(raw) && typeof raw['toJSON'] === 'function' ? (raw['toJSON'](COOKIE) as unknown) : raw
  if (!isObject(cookie)) return { idleMs: ttl, leftMs: undefined, cookie: jsonValue(cookie, COOKIE) }
  const leftMs = timeUntil(cookie['expires'], now)
  const age = finite(cookie['originalMaxAge'])
  const idleMs = age ?? leftMs ?? finite(cookie['maxAge']) ?? ttl
  return { idleMs, leftMs, cookie: keptOf(cookie, leftMs !== undefined && age !== undefined) }
}

function keptOf(cookie: Readonly<Record<string, unknown>>, isMoving: boolean): unknown {
  const kept: Record<string, unknown> = {}
  for (const name of Object.keys(cookie)) {
    // `originalExpires` is what @fastify/session makes of the moment of expiry.
    if (isMoving && (name === 'expires' || name === 'originalExpires')) continue
    const setting = cookie[name]
    const value = isObject(setting) ? jsonCopy(setting, name) : jsonValue(setting, name)
    if (value !== undefined) kept[name] = value
  }
  return kept
}

/** The kept cookie as it is at present: with the moment of expiry again, where it has a lifetime. */
export function cookieOf(kept: unknown, session: SessionRecord): unknown {
  if (!isObject(kept)) return kept
  const at = finite(kept['originalMaxAge']) === undefined ? Infinity : expiresAt(session)
  const cookie: Record<string, unknown> = {}
  for (const name of Object.keys(kept)) cookie[name] = kept[name]
  if (Number.isFinite(at)) cookie['expires'] = new Date(at).toISOString()
  return cookie
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
  if (moment instanceof Date) return finite(moment.getTime() - now)
  if (typeof moment !== 'string' && typeof moment !== 'number') return undefined
  return finite(new Date(moment).getTime() - now)
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
