import type { SeenTokens } from '../../backend/backend.js'
import { isWellFormed } from '../../session/id.js'
import type { RequestHead } from '../request/request-head.js'
import { CANDIDATES_MAX, type Carrier, type ResponseHeader } from './carrier.js'
import { tokensOf } from './stamp-tokens.js'

/** Where bearers find a new id, and clients of `header()` unless they choose another name. */
export const ID_HEADER = 'X-Auth-Token'
const BEARER = /^bearer +(\S+) *$/i

/**
 * Ids and stamps in headers, for clients without a cookie jar. A new id is answered in `<name>`, an empty one tells
 * that it ended; `<name>-Seen` holds everything such a client has to bring along beside it, whole every time, so that
 * it only has to send back what it got last.
 */
export class HeaderCarrier implements Carrier {
  readonly accounts = undefined
  readonly #name: string
  readonly #seenName: string
  readonly #readsBearer: boolean

  /** `bearer`: the id comes as `Authorization: Bearer <id>`; else in the header of that name. */
  constructor(name: string, readsFrom: 'bearer' | 'header') {
    this.#name = name
    this.#seenName = `${name}-Seen`
    this.#readsBearer = readsFrom === 'bearer'
  }

  ids(req: RequestHead): readonly string[] {
    const ids = new Set(this.#given(req).filter(isWellFormed))
    return [...ids].slice(0, CANDIDATES_MAX)
  }

  seen({ headers }: RequestHead): SeenTokens | undefined {
    return tokensOf(listOf(headers[this.#seenName.toLowerCase()]))
  }

  isSpoken(req: RequestHead): boolean {
    return this.#readsBearer ? this.#given(req).length > 0 : req.headers[this.#name.toLowerCase()] !== undefined
  }

  answering(): Carrier {
    return this
  }

  obstacle(): undefined {
    return undefined
  }

  grant(_: RequestHead, id: string): ResponseHeader {
    return this.#header(this.#name, id)
  }

  revoke(): readonly ResponseHeader[] {
    return [this.#header(this.#name, ''), this.#header(this.#seenName, '')]
  }

  stamp(req: RequestHead, tokens: SeenTokens): readonly ResponseHeader[] {
    const all = new Map([...(this.seen(req) ?? []), ...tokens])
    return [this.#header(this.#seenName, [...all].map(([slot, token]) => `${slot}=${token}`).join(', '))]
  }

  #given({ headers }: RequestHead): readonly string[] {
    if (!this.#readsBearer) return listOf(headers[this.#name.toLowerCase()])
    const [, id] = BEARER.exec(headers.authorization ?? '') ?? []
    return id === undefined ? [] : [id]
  }

  #header(name: string, value: string): ResponseHeader {
    return { key: `header ${name.toLowerCase()}`, name, value }
  }
}

/** Node joins the values of a header that repeats, and leaves some of them a list. */
function listOf(value: string | readonly string[] | undefined): readonly string[] {
  const text = typeof value === 'object' ? value.join(',') : (value ?? '')
  return text === '' ? [] : text.split(',', 32).map((part) => part.trim())
}
