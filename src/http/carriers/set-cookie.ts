import { stringifySetCookie, type SetCookie } from 'cookie'
import type { ResolvedCookieOptions } from '../options.js'
import type { RequestHead } from '../request/request-head.js'
import type { ResponseHeader } from './carrier.js'

/** Writes cookies with the attributes that are configured. */
export class CookieWriter {
  readonly #options: ResolvedCookieOptions
  readonly #trustProxy: boolean

  constructor(options: ResolvedCookieOptions, trustProxy: boolean) {
    this.#options = options
    this.#trustProxy = trustProxy
  }

  /** Why a cookie cannot reach the browser of this request; undefined when it can. */
  obstacle(req: RequestHead): string | undefined {
    if (this.#options.secure !== true || isSecure(req, this.#trustProxy)) return undefined
    return (
      'the cookie is only for https, and this request came over http; behind a proxy that ends TLS, have it send ' +
      "X-Forwarded-Proto and set Express's `trust proxy`, or session.trustProxy"
    )
  }

  /** The cookie that holds ids, kept for as long as is configured. */
  write(req: RequestHead, value: string): ResponseHeader {
    const { name, maxAge } = this.#options
    return this.writeFor(req, name, value, maxAge === undefined ? undefined : Math.floor(maxAge / 1_000))
  }

  /** Makes the browser drop the cookie that holds ids. */
  drop(req: RequestHead): ResponseHeader {
    return this.writeFor(req, this.#options.name, '', 0)
  }

  /** Any cookie. `maxAgeS`: seconds; undefined: until the browser closes. */
  writeFor(req: RequestHead, name: string, value: string, maxAgeS: number | undefined): ResponseHeader {
    const { path, domain, httpOnly, sameSite, partitioned, secure } = this.#options
    const cookie: SetCookie = {
      name,
      value,
      path,
      httpOnly,
      sameSite,
      partitioned,
      secure: secure === 'auto' ? isSecure(req, this.#trustProxy) : secure,
      ...(domain === undefined ? {} : { domain }),
      ...(maxAgeS === undefined ? {} : { maxAge: maxAgeS }),
    }
    return { key: `cookie ${name}`, name: 'Set-Cookie', value: stringifySetCookie(cookie) }
  }
}

/** Whether the browser spoke https: to us, to a proxy that Express trusts, or to one that the options trust. */
function isSecure(req: RequestHead, trustProxy: boolean): boolean {
  if (req.socket !== undefined && 'encrypted' in req.socket && req.socket.encrypted === true) return true
  if ('secure' in req && req.secure === true) return true
  if (!trustProxy) return false
  const proto = req.headers['x-forwarded-proto']
  const [first] = (Array.isArray(proto) ? proto.join(',') : (proto ?? '')).split(',')
  return first?.trim().toLowerCase() === 'https'
}
