import { stringifySetCookie, type SetCookie } from 'cookie'
import type { IncomingMessage } from 'node:http'
import type { SeenTokens } from '../backend/backend.js'
import { isWellFormed } from '../session/id.js'
import { CANDIDATES_MAX, type Carrier, type ResponseHeader } from './carrier.js'
import type { ResolvedCookieOptions } from './options.js'

const NO_IDS: readonly string[] = []
const SEMICOLON = 0x3b
const SPACE = 0x20

/** A stamp helps while nodes catch up; after this long the browser forgets it. */
const STAMP_AGE_S = 600
const STAMPS_MAX = 8
const STAMP_CHARACTERS_MAX = 1_024
const SLOT = /^[0-9a-z]{1,8}$/

/** Ids and stamps in cookies: `<name>` holds the id, `<name>.v<slot>` what the browser has seen. */
export class CookieCarrier implements Carrier {
  readonly #options: ResolvedCookieOptions
  readonly #trustProxy: boolean
  readonly #idPrefix: string
  readonly #stampPrefix: string

  constructor(options: ResolvedCookieOptions, trustProxy: boolean) {
    this.#options = options
    this.#trustProxy = trustProxy
    this.#idPrefix = `${options.name}=`
    this.#stampPrefix = `${options.name}.v`
  }

  ids(req: IncomingMessage): readonly string[] {
    const header = req.headers.cookie
    if (header === undefined) return NO_IDS
    let ids: string[] | undefined
    for (let at = find(header, this.#idPrefix, 0); at >= 0; at = find(header, this.#idPrefix, at)) {
      const id = header.slice(at, endOf(header, at))
      if (!isWellFormed(id) || ids?.includes(id) === true) continue
      if (ids === undefined) ids = [id]
      else ids.push(id)
      if (ids.length === CANDIDATES_MAX) break
    }
    return ids ?? NO_IDS
  }

  seen(req: IncomingMessage): SeenTokens | undefined {
    const header = req.headers.cookie
    if (header === undefined) return undefined
    let tokens: Map<string, string> | undefined
    for (let at = find(header, this.#stampPrefix, 0); at >= 0; at = find(header, this.#stampPrefix, at)) {
      const pair = header.slice(at, endOf(header, at))
      const equals = pair.indexOf('=')
      const slot = pair.slice(0, Math.max(0, equals))
      if (!SLOT.test(slot) || pair.length > STAMP_CHARACTERS_MAX) continue
      tokens ??= new Map<string, string>()
      if (!tokens.has(slot)) tokens.set(slot, pair.slice(equals + 1))
      if (tokens.size === STAMPS_MAX) break
    }
    return tokens
  }

  obstacle(req: IncomingMessage): string | undefined {
    if (this.#options.secure !== true || isSecure(req, this.#trustProxy)) return undefined
    return (
      'the cookie is only for https, and this request came over http; behind a proxy that ends TLS, have it send ' +
      "X-Forwarded-Proto and set Express's `trust proxy`, or session.trustProxy"
    )
  }

  grant(req: IncomingMessage, id: string): ResponseHeader {
    const { name, maxAge } = this.#options
    return this.#cookie(req, name, id, maxAge === undefined ? undefined : Math.floor(maxAge / 1_000))
  }

  revoke(req: IncomingMessage): ResponseHeader {
    return this.#cookie(req, this.#options.name, '', 0)
  }

  stamp(req: IncomingMessage, slot: string, token: string): ResponseHeader {
    return this.#cookie(req, `${this.#stampPrefix}${slot}`, token, STAMP_AGE_S)
  }

  #cookie(req: IncomingMessage, name: string, value: string, maxAge: number | undefined): ResponseHeader {
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
      ...(maxAge === undefined ? {} : { maxAge }),
    }
    return { key: `cookie ${name}`, name: 'Set-Cookie', value: stringifySetCookie(cookie) }
  }
}

/**
 * Where the text behind the next pair beginning with `prefix` starts, or -1. A pair begins the header or follows "; ",
 * and nothing else: browsers strip no further white space from names, so neither may we (a name with a tab before
 * `__Host-` is not protected by that prefix).
 */
function find(header: string, prefix: string, from: number): number {
  let at = header.indexOf(prefix, from)
  while (at > 0 && !(header.charCodeAt(at - 1) === SPACE && header.charCodeAt(at - 2) === SEMICOLON)) {
    at = header.indexOf(prefix, at + 1)
  }
  return at < 0 ? at : at + prefix.length
}

function endOf(header: string, at: number): number {
  const end = header.indexOf(';', at)
  return end < 0 ? header.length : end
}

/** Whether the browser spoke https: to us, to a proxy that Express trusts, or to one that the options trust. */
export function isSecure(req: IncomingMessage, trustProxy: boolean): boolean {
  if ('encrypted' in req.socket && req.socket.encrypted === true) return true
  if ('secure' in req && req.secure === true) return true
  if (!trustProxy) return false
  const proto = req.headers['x-forwarded-proto']
  const [first] = (Array.isArray(proto) ? proto.join(',') : (proto ?? '')).split(',')
  return first?.trim().toLowerCase() === 'https'
}
