import type { IncomingMessage } from 'node:http'
import { ConfigError } from '../errors.js'
import type { MergeKind } from '../session/session.js'
import type { AliasPlace } from './carriers/accounts.js'
import {
  accountsProblem,
  carrierProblem,
  carriersOf,
  placeOf,
  type AccountsChoice,
  type CarrierChoice,
  type OneCarrier,
} from './carriers/carrier-options.js'
import { mergeKindsOf, mergeProblems, type MergeKinds } from './handle/merge-kinds.js'

/**
 * What a user may say about sessions over HTTP. Times are milliseconds; `Infinity` means never. Everything can be
 * left out, and `undefined` counts as left out.
 */
export interface SessionOptions {
  /** A session ends when nobody used it for this long. Default 30 minutes. */
  readonly ttl?: number | undefined
  /** A session ends this long after its creation, used or not. Default Infinity. */
  readonly maxLifetime?: number | undefined
  readonly cookie?: CookieOptions | undefined
  /**
   * How ids travel: in a cookie, in a header both ways, as `Authorization: Bearer`, or by several of these, of which a
   * request is answered by the one it came by. Default 'cookie'.
   */
  readonly carrier?: CarrierChoice | undefined
  /**
   * Several sessions per browser, all in one cookie: `?_s=1` in the address says which. An object changes where that
   * is said: `{ query: 'account' }`, `{ header: 'X-Account' }`, `{ path: '/u' }` (`/u/1/…`). Default false.
   */
  readonly accounts?: AccountsChoice | undefined
  /**
   * When changes are written: before the headers of the response leave, or in the turn in which an attribute is
   * assigned. Default 'commit'.
   */
  readonly flush?: 'commit' | 'immediate' | undefined
  /** Sends the cookie with every answer to a browser that has a session, so that its maxAge starts anew. Default false. */
  readonly rolling?: boolean | undefined
  /** An access is noted when the last noted one is at least this old. Default min(60 s, ttl / 20); 0: every access. */
  readonly touchAfter?: number | undefined
  /** Load before the handler runs, or only on `loadSession(req)`. Default 'eager'. */
  readonly load?: 'eager' | 'on-demand' | undefined
  /** Requests whose session is loaded before the handler runs; the others load on demand. Default: all. */
  readonly when?: ((req: IncomingMessage) => boolean) | undefined
  /** What a request may still save that was running while the id was replaced. Default 'merge'. */
  readonly lateWrites?: 'merge' | 'drop' | undefined
  /**
   * What saving does when the session ended while the request ran: `ignore` drops the changes (counted), `throw` fails
   * with SessionGoneError, `restart` puts what this request wrote, and nothing older, into a new session.
   * Default 'ignore'.
   */
  readonly onGone?: 'ignore' | 'throw' | 'restart' | undefined
  /** Finds changes inside objects that were read (`req.session.cart.items.push(…)`). Default true. */
  readonly detectMutations?: boolean | undefined
  /**
   * How attributes merge that several requests change at the same time, by name. `counter`: what each added adds up.
   * `max`: the greatest number stays. `set`: a Set; additions and removals of elements all count. Others are `lww`: the
   * later write wins.
   */
  readonly merge?: Readonly<Record<string, MergeKind>> | undefined
  readonly limits?: Partial<SessionLimits> | undefined
  /** Believes X-Forwarded-Proto. Only behind a proxy that sets it; Express's own `trust proxy` works without. */
  readonly trustProxy?: boolean | undefined
  /** Longest time a load may take; then the request is answered 503. Default 2,000. */
  readonly loadWithin?: number | undefined
}

/** Limits of one session. A commit that goes over one fails with LimitError and changes nothing. */
export interface SessionLimits {
  /** Encoded bytes of all attributes, names included. Default 65,536. */
  readonly bytes: number
  /** Default 1,024. */
  readonly attributes: number
}

export interface CookieOptions {
  /** Default `__Host-sid` where `secure` is true and neither domain nor path forbid it, else `sid`. */
  readonly name?: string | undefined
  /** Only over https. 'auto': on requests that came over https. Default 'auto'. */
  readonly secure?: boolean | 'auto' | undefined
  /** Default 'lax'. */
  readonly sameSite?: 'lax' | 'strict' | 'none' | undefined
  /** Default '/'. */
  readonly path?: string | undefined
  /** Default: none, so that only the host which set the cookie gets it. */
  readonly domain?: string | undefined
  /** How long the browser keeps it, milliseconds, at most 400 days. Default: until the browser closes. */
  readonly maxAge?: number | undefined
  /** Hidden from scripts. Default true. */
  readonly httpOnly?: boolean | undefined
  /** One cookie per embedding site (CHIPS). Default false. */
  readonly partitioned?: boolean | undefined
}

export interface ResolvedCookieOptions {
  readonly name: string
  readonly secure: boolean | 'auto'
  readonly sameSite: 'lax' | 'strict' | 'none'
  readonly path: string
  readonly domain: string | undefined
  readonly maxAge: number | undefined
  readonly httpOnly: boolean
  readonly partitioned: boolean
}

/** SessionOptions with every default filled in. */
export interface ResolvedSessionOptions {
  readonly ttl: number
  readonly maxLifetime: number
  readonly cookie: ResolvedCookieOptions
  readonly carriers: readonly OneCarrier[]
  readonly accounts: AliasPlace | undefined
  readonly flush: 'commit' | 'immediate'
  readonly rolling: boolean
  readonly touchAfter: number
  readonly load: 'eager' | 'on-demand'
  readonly when: ((req: IncomingMessage) => boolean) | undefined
  readonly lateWrites: 'merge' | 'drop'
  readonly onGone: 'ignore' | 'throw' | 'restart'
  readonly detectMutations: boolean
  readonly merge: MergeKinds
  readonly limits: SessionLimits
  readonly trustProxy: boolean
  readonly loadWithin: number
}

/** Browsers keep no cookie longer (RFC 6265bis, 5.5). */
export const COOKIE_AGE_MAX_MS: number = 400 * 24 * 3_600_000

const TTL_MS = 30 * 60_000
const TOUCH_AFTER_MAX_MS = 60_000
const LOAD_WITHIN_MS = 2_000
const BYTES_MAX = 65_536
const ATTRIBUTES_MAX = 1_024

/** Fills in the defaults, and refuses what no browser or backend could honour. Pure. */
export function resolveSessionOptions(options: SessionOptions = {}): ResolvedSessionOptions {
  const unreadable = problemsOfChoices(options)
  if (unreadable.length > 0) throw new ConfigError(unreadable, 'session options')
  const ttl = options.ttl ?? TTL_MS
  const resolved: ResolvedSessionOptions = {
    ttl,
    maxLifetime: options.maxLifetime ?? Infinity,
    cookie: resolveCookie(options.cookie ?? {}),
    carriers: carriersOf(options.carrier ?? 'cookie'),
    accounts: placeOf(options.accounts ?? false),
    flush: options.flush ?? 'commit',
    rolling: options.rolling ?? false,
    touchAfter: options.touchAfter ?? (ttl > 0 ? Math.min(TOUCH_AFTER_MAX_MS, ttl / 20) : 0),
    load: options.load ?? 'eager',
    when: options.when,
    lateWrites: options.lateWrites ?? 'merge',
    onGone: options.onGone ?? 'ignore',
    detectMutations: options.detectMutations ?? true,
    merge: mergeKindsOf(options.merge ?? {}),
    limits: {
      bytes: options.limits?.bytes ?? BYTES_MAX,
      attributes: options.limits?.attributes ?? ATTRIBUTES_MAX,
    },
    trustProxy: options.trustProxy ?? false,
    loadWithin: options.loadWithin ?? LOAD_WITHIN_MS,
  }
  const problems = [...problemsOf(resolved), ...problemsOfMerge(options)]
  if (problems.length > 0) throw new ConfigError(problems, 'session options')
  return resolved
}

function problemsOfMerge({ merge = {} }: SessionOptions): readonly string[] {
  return mergeProblems(merge).map(({ name, problem, expected }) => `merge.${name}: ${problem} (expected ${expected})`)
}

function resolveCookie(cookie: CookieOptions): ResolvedCookieOptions {
  const secure = cookie.secure ?? 'auto'
  const path = cookie.path ?? '/'
  const hostOnly = secure === true && path === '/' && cookie.domain === undefined
  return {
    name: cookie.name ?? (hostOnly ? '__Host-sid' : 'sid'),
    secure,
    sameSite: cookie.sameSite ?? 'lax',
    path,
    domain: cookie.domain,
    maxAge: cookie.maxAge === undefined ? undefined : Math.min(cookie.maxAge, COOKIE_AGE_MAX_MS),
    httpOnly: cookie.httpOnly ?? true,
    partitioned: cookie.partitioned ?? false,
  }
}

/** What cannot be understood at all, so that nothing can be made of it. */
function problemsOfChoices({ carrier, accounts, flush }: SessionOptions): string[] {
  const problems = [
    ['carrier', carrier === undefined ? undefined : carrierProblem(carrier)],
    ['accounts', accounts === undefined ? undefined : accountsProblem(accounts)],
    ['flush', ['commit', 'immediate', undefined].includes(flush) ? undefined : 'neither "commit" nor "immediate"'],
  ]
  return problems.flatMap(([key, problem]) => (problem === undefined ? [] : [`${key}: ${problem}`]))
}

function problemsOf(resolved: ResolvedSessionOptions): string[] {
  const { accounts, carriers } = resolved
  const problems = [...problemsOfTimes(resolved), ...problemsOfCookie(resolved.cookie)]
  if (accounts !== undefined && !carriers.includes('cookie')) {
    problems.push("accounts: they share one cookie, so 'cookie' must be among the carriers")
  }
  return problems
}

function problemsOfTimes({ ttl, maxLifetime, touchAfter, loadWithin, limits, cookie }: ResolvedSessionOptions): string[] {
  const problems: string[] = []
  const positive: Readonly<Record<string, number>> = {
    ttl,
    maxLifetime,
    loadWithin,
    'limits.bytes': limits.bytes,
    'limits.attributes': limits.attributes,
    ...(cookie.maxAge === undefined ? {} : { 'cookie.maxAge': cookie.maxAge }),
  }
  for (const [key, value] of Object.entries(positive)) {
    if (!(value > 0)) problems.push(`${key}: not a positive number (got ${value})`)
  }
  if (!(touchAfter >= 0)) problems.push(`touchAfter: not a number of at least 0 (got ${touchAfter})`)
  if (touchAfter > 0 && touchAfter >= ttl) {
    problems.push(`touchAfter: ${touchAfter} is not less than ttl (${ttl}), so a session in use would expire`)
  }
  return problems
}

function problemsOfCookie(cookie: ResolvedCookieOptions): string[] {
  const problems: string[] = []
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(cookie.name)) {
    problems.push('cookie.name: not a cookie name (expected 1 to 64 token characters, RFC 6265 section 4.1.1)')
  }
  if (cookie.sameSite === 'none' && cookie.secure !== true) {
    problems.push('cookie.sameSite: browsers refuse "none" without secure (got secure: ' + String(cookie.secure) + ')')
  }
  if (cookie.partitioned && cookie.secure !== true) {
    problems.push('cookie.partitioned: browsers refuse it without secure (got secure: ' + String(cookie.secure) + ')')
  }
  if (cookie.name.startsWith('__Host-') && (cookie.secure !== true || cookie.domain !== undefined || cookie.path !== '/')) {
    problems.push('cookie.name: "__Host-" asks for secure: true, path "/" and no domain (RFC 6265bis, 4.1.3.2)')
  }
  if (cookie.name.startsWith('__Secure-') && cookie.secure !== true) {
    problems.push('cookie.name: "__Secure-" asks for secure: true (RFC 6265bis, 4.1.3.1)')
  }
  return problems
}
