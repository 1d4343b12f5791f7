import { stringifySetCookie, type SetCookie } from 'cookie'

/** What express-session writes into the Set-Cookie header, and JSON into the session. */
export interface SessionCookieData {
  readonly originalMaxAge: number | null | undefined
  readonly expires: Date | null | false | undefined
  readonly secure: boolean | undefined
  readonly httpOnly: boolean | undefined
  readonly domain: string | undefined
  readonly path: string | undefined
  readonly sameSite: SetCookie['sameSite'] | undefined
  readonly partitioned: boolean | undefined
  readonly priority: SetCookie['priority'] | undefined
}

/** What the constructor looks at itself. */
const TIMES: ReadonlySet<string> = new Set(['expires', 'maxAge', 'originalMaxAge'])

/** `req.session.cookie`: the cookie's settings for one browser, as express-session has them. */
export class SessionCookie {
  path: string | undefined = '/'
  httpOnly: boolean | undefined = true
  originalMaxAge: number | null | undefined = null
  secure: boolean | undefined
  domain: string | undefined
  sameSite: SetCookie['sameSite'] | undefined
  partitioned: boolean | undefined
  priority: SetCookie['priority'] | undefined
  readonly #now: () => number
  #expires: Date | null | false | undefined = null

  /** `stored`: what JSON made of a cookie. */
  constructor(stored: Readonly<Record<string, unknown>>, now: () => number) {
    this.#now = now
    const { expires, maxAge, originalMaxAge } = stored
    for (const name of Object.keys(stored)) if (!TIMES.has(name)) Reflect.set(this, name, stored[name])
    if (typeof maxAge === 'number') this.maxAge = maxAge
    if (expires !== undefined) this.#expires = dateOf(expires)
    if (originalMaxAge !== undefined) this.originalMaxAge = typeof originalMaxAge === 'number' ? originalMaxAge : null
    else if (expires !== undefined) this.expires = this.#expires
  }

  /** When the browser forgets the cookie; null or false: when it closes. */
  get expires(): Date | null | false | undefined {
    return this.#expires
  }

  set expires(moment: Date | null | false | undefined) {
    this.#expires = moment
    const left = this.maxAge
    this.originalMaxAge = typeof left === 'number' ? left : null
  }

  /** Milliseconds that are left; setting it starts them anew. */
  get maxAge(): number | null | undefined {
    return this.#expires instanceof Date ? this.#expires.getTime() - this.#now() : undefinedIfFalse(this.#expires)
  }

  set maxAge(ms: number | null | undefined) {
    if (ms !== null && ms !== undefined && typeof ms !== 'number') throw new TypeError('cookie.maxAge: not a number')
    this.expires = typeof ms === 'number' ? new Date(this.#now() + ms) : ms
  }

  get data(): SessionCookieData {
    const { originalMaxAge, expires, secure, httpOnly, domain, path, sameSite, partitioned, priority } = this
    return { originalMaxAge, expires, secure, httpOnly, domain, path, sameSite, partitioned, priority }
  }

  serialize(name: string, value: string): string {
    const { expires, secure, httpOnly, domain, path, sameSite, partitioned, priority } = this
    const cookie: SetCookie = { name, value }
    if (expires instanceof Date) cookie.expires = expires
    if (secure !== undefined) cookie.secure = secure
    if (httpOnly !== undefined) cookie.httpOnly = httpOnly
    if (domain !== undefined) cookie.domain = domain
    if (path !== undefined) cookie.path = path
    if (sameSite !== undefined) cookie.sameSite = sameSite
    if (partitioned !== undefined) cookie.partitioned = partitioned
    if (priority !== undefined) cookie.priority = priority
    return stringifySetCookie(cookie)
  }

  toJSON(): SessionCookieData {
    return this.data
  }
}

function dateOf(value: unknown): Date | null | false {
  if (value instanceof Date) return value
  if (typeof value === 'string' || typeof value === 'number') return new Date(value)
  return value === false ? false : null
}

function undefinedIfFalse(value: null | false | undefined): null | undefined {
  return value === false ? undefined : value
}
