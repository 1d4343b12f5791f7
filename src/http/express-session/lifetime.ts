import { expiresAt, type SessionRecord } from '../../session/session.js'
import { isObject } from './json.js'

/** What a session's cookie says of its lifetime, and what is kept of the cookie. */
export interface Lifetime {
  /** Not positive: the session is over. Infinity: never. */
  readonly idleMs: number
  /** Milliseconds until the moment that the cookie names, if it names one. */
  readonly leftMs: number | undefined
  /** Without the moment of expiry, which moves with every access and follows from it. */
  readonly cookie: unknown
}

/** express-session takes the time twice to set a lifetime, so it may differ by the milliseconds in between. */
const DRIFT_MS = 20
const DRIFT_SHARE = 0.01

/** `cookie`: after JSON. `ttl`: the idle lifetime of a session whose cookie has none. */
export function lifetimeOf(cookie: unknown, now: number, ttl: number): Lifetime {
  if (!isObject(cookie)) return { idleMs: ttl, leftMs: undefined, cookie }
  const { expires, ...rest } = cookie
  const leftMs = timeUntil(expires, now)
  const idleMs = finite(cookie['originalMaxAge']) ?? leftMs ?? finite(cookie['maxAge']) ?? ttl
  return { idleMs, leftMs, cookie: leftMs === undefined ? cookie : { ...rest, originalMaxAge: idleMs } }
}

/** The kept cookie as it is at present: with the moment of expiry again, where it has a lifetime. */
export function cookieOf(kept: unknown, session: SessionRecord): unknown {
  if (!isObject(kept) || finite(kept['originalMaxAge']) === undefined) return kept
  const at = expiresAt(session)
  return Number.isFinite(at) ? { ...kept, expires: new Date(at).toISOString() } : kept
}

/** Whether two lifetimes are one, taken at different moments. */
export function isSameLifetime(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= Math.min(DRIFT_MS, a * DRIFT_SHARE)
}

/** Whether two kept cookies say the same. */
export function isSameCookie(a: unknown, b: unknown): boolean {
  if (!isObject(a) || !isObject(b)) return a === b
  const lifetimes = [finite(a['originalMaxAge']), finite(b['originalMaxAge'])] as const
  const sameLife =
    lifetimes[0] === undefined || lifetimes[1] === undefined
      ? a['originalMaxAge'] === b['originalMaxAge']
      : isSameLifetime(lifetimes[0], lifetimes[1])
  return sameLife && text({ ...a, originalMaxAge: 0 }) === text({ ...b, originalMaxAge: 0 })
}

function text(cookie: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(cookie).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function timeUntil(moment: unknown, now: number): number | undefined {
  if (typeof moment !== 'string' && typeof moment !== 'number') return undefined
  return finite(new Date(moment).getTime() - now)
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
