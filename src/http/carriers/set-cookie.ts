import { stringifySetCookie, type SetCookie } from 'cookie'
import type { ResolvedCookieOptions } from '../options.js'
import type { RequestHead } from '../request/request-head.js'
import type { ResponseHeader } from './carrier.js'

/** Stands for any. */
const NAME = 'name'

/** Writes cookies with the attributes that are configured. */
export class CookieWriter {
  readonly #options: ResolvedCookieOptions
  readonly #trustProxy: boolean
  /** By lifetime, of which there are three: as configured, none, and that of stamps. */
  readonly #attributes = new Map<number | undefined, { readonly secure: boolean; readonly text: string }>()

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
    const { secure } = this.#options
    const attributes = this.#attributesOf(maxAgeS, secure === 'auto' ? isSecure(req, this.#trustProxy) : secure)
    return { key: `cookie ${name}`, name: 'Set-Cookie', value: `${name}=${encodeURIComponent(value)}${attributes}` }
  }

  /** What follows name and value: the same for all cookies that last as long. */
  #attributesOf(maxAgeS: number | undefined, secure: boolean): string {
    const known = this.#attributes.get(maxAgeS)
    if (known?.secure === secure) return known.text
    const { path, domain, httpOnly, sameSite, partitioned } = this.#options
    const cookie: SetCookie = {
      name: NAME,
      value: '',
      path,
      httpOnly,
      sameSite,
      partitioned,
      secure,
      ...(domain === undefined ? {} : { domain }),
      ...(maxAgeS === undefined ? {} : { maxAge: maxAgeS }),
    }
    const text = stringifySetCookie(cookie).slice(`${NAME}=`.length)
    this.#attributes.set(maxAgeS, { secure, text })
    return text
  }
}

/** Whether the browser spoke https: to us, to a proxy that Express trusts, or to one that the options trust. */
function isSecure(req: RequestHead, trustProxy: boolean): boolean {
  if (req.socket?.encrypted === true) return true
  if (req.secure === true) return true
  if (!trustProxy) return false
  const proto = req.headers['x-forwarded-proto']
  const [first] = (Array.isArray(proto) ? proto.join(',') : (proto ?? '')).split(',')
  return first?.trim().toLowerCase() === 'https'
}
