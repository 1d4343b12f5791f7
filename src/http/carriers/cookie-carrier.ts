import type { SeenTokens } from '../../backend/backend.js'
import { isWellFormed } from '../../session/id.js'
import type { ResolvedCookieOptions } from '../options.js'
import type { RequestHead } from '../request/request-head.js'
import { CANDIDATES_MAX, type Carrier, type ResponseHeader } from './carrier.js'
import { endOfPair, findPair, pairsBehind } from './cookie-header.js'
import { CookieWriter } from './set-cookie.js'
import { STAMP_AGE_S, tokensOf } from './stamp-tokens.js'

const NO_IDS: readonly string[] = []
/** Pairs beginning like a stamp that are looked at: all slots, and what a proxy may have doubled. */
const STAMP_PAIRS_MAX = 32

/** Ids and stamps in cookies: `<name>` holds the id, `<name>.v<slot>` what the browser has seen. */
export class CookieCarrier implements Carrier {
  readonly accounts = undefined
  readonly #writer: CookieWriter
  readonly #idPrefix: string
  readonly #stampPrefix: string

  constructor(options: ResolvedCookieOptions, trustProxy: boolean) {
    this.#writer = new CookieWriter(options, trustProxy)
    this.#idPrefix = `${options.name}=`
    this.#stampPrefix = `${options.name}.v`
  }

  ids(req: RequestHead): readonly string[] {
    const header = req.headers.cookie
    if (header === undefined) return NO_IDS
    let ids: string[] | undefined
    for (let at = findPair(header, this.#idPrefix, 0); at >= 0; at = findPair(header, this.#idPrefix, at)) {
      const id = header.slice(at, endOfPair(header, at))
      if (!isWellFormed(id) || ids?.includes(id) === true) continue
      if (ids === undefined) ids = [id]
      else ids.push(id)
      if (ids.length === CANDIDATES_MAX) break
    }
    return ids ?? NO_IDS
  }

  seen({ headers }: RequestHead): SeenTokens | undefined {
    return tokensOf(pairsBehind(headers.cookie, this.#stampPrefix, STAMP_PAIRS_MAX))
  }

  isSpoken({ headers }: RequestHead): boolean {
    return headers.cookie !== undefined && findPair(headers.cookie, this.#idPrefix, 0) >= 0
  }

  answering(): Carrier {
    return this
  }

  obstacle(req: RequestHead): string | undefined {
    return this.#writer.obstacle(req)
  }

  grant(req: RequestHead, id: string): ResponseHeader {
    return this.#writer.write(req, id)
  }

  revoke(req: RequestHead): readonly ResponseHeader[] {
    return [this.#writer.drop(req)]
  }

  stamp(req: RequestHead, tokens: SeenTokens): readonly ResponseHeader[] {
    return [...tokens].map(([slot, token]) => {
      return this.#writer.writeFor(req, `${this.#stampPrefix}${slot}`, token, STAMP_AGE_S)
    })
  }
}
