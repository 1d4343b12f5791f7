import type { SeenTokens } from '../../backend/backend.js'
import { isWellFormed } from '../../session/id.js'
import type { ResolvedCookieOptions } from '../options.js'
import type { RequestHead } from '../request/request-head.js'
import { ACCOUNTS_MAX, DEFAULT_ALIAS, isAlias, type Accounts, type AliasPlace } from './accounts.js'
import { aliasIn, urlNaming } from './alias-place.js'
import { CANDIDATES_MAX, type Carrier, type ResponseHeader } from './carrier.js'
import { pairsBehind } from './cookie-header.js'
import { CookieWriter } from './set-cookie.js'
import { STAMP_AGE_S, tokensOf } from './stamp-tokens.js'

const NOTHING: ReadonlySet<string> = new Set()
/** The slots that are in use of each session, and room for what a proxy may have doubled. */
const STAMP_PAIRS_MAX = 128

/**
 * Several sessions in one cookie: `0.<id>~1.<id>`, all of it characters that RFC 6265 leaves as they are. One session
 * of the default alias is its bare id, so that browsers keep theirs when accounts are switched on or off. Twenty
 * aliases of fifty characters make 2,000, half of what browsers keep. What each has seen is in cookies of its own:
 * `<name>.v<slot>.<alias>`, without the default alias.
 */
export class AccountCookieCarrier implements Carrier, Accounts {
  readonly accounts: Accounts = this
  readonly #writer: CookieWriter
  readonly #place: AliasPlace
  readonly #idPrefix: string
  readonly #stampPrefix: string

  constructor(options: ResolvedCookieOptions, trustProxy: boolean, place: AliasPlace) {
    this.#writer = new CookieWriter(options, trustProxy)
    this.#place = place
    this.#idPrefix = `${options.name}=`
    this.#stampPrefix = `${options.name}.v`
  }

  // ── As a carrier ────────────────────────────────────────────────────────────────────────────────────────────────

  ids(req: RequestHead): readonly string[] {
    const alias = this.aliasOf(req)
    const ids = this.#cookies(req).flatMap((cookie) => cookie.get(alias) ?? [])
    return [...new Set(ids)]
  }

  seen(req: RequestHead): SeenTokens | undefined {
    return this.seenOf(req, this.aliasOf(req))
  }

  isSpoken({ headers }: RequestHead): boolean {
    return pairsBehind(headers.cookie, this.#idPrefix, 1).length > 0
  }

  answering(): Carrier {
    return this
  }

  obstacle(req: RequestHead): string | undefined {
    return this.#writer.obstacle(req)
  }

  grant(req: RequestHead, id: string, over: ReadonlySet<string> = NOTHING): ResponseHeader {
    return this.#write(req, id, over)
  }

  revoke(req: RequestHead, over: ReadonlySet<string> = NOTHING): readonly ResponseHeader[] {
    return [this.#write(req, undefined, over)]
  }

  stamp(req: RequestHead, tokens: SeenTokens): readonly ResponseHeader[] {
    const alias = this.aliasOf(req)
    const suffix = alias === DEFAULT_ALIAS ? '' : `.${alias}`
    return [...tokens].map(([slot, token]) => {
      return this.#writer.writeFor(req, `${this.#stampPrefix}${slot}${suffix}`, token, STAMP_AGE_S)
    })
  }

  // ── As accounts ─────────────────────────────────────────────────────────────────────────────────────────────────

  aliasOf(req: RequestHead): string {
    return aliasIn(req, this.#place)
  }

  held(req: RequestHead): ReadonlyMap<string, string> {
    const all = new Map<string, string>()
    for (const [alias, id] of this.#cookies(req).flatMap((cookie) => [...cookie])) {
      if (!all.has(alias) && all.size < ACCOUNTS_MAX) all.set(alias, id)
    }
    return all
  }

  seenOf({ headers }: RequestHead, alias: string): SeenTokens | undefined {
    const suffix = alias === DEFAULT_ALIAS ? '' : `.${alias}`
    const pairs = pairsBehind(headers.cookie, this.#stampPrefix, STAMP_PAIRS_MAX).flatMap((pair) => {
      const equals = pair.indexOf('=')
      const slot = pair.slice(0, Math.max(0, equals - suffix.length))
      return pair.slice(slot.length, Math.max(0, equals)) === suffix ? [slot + pair.slice(equals)] : []
    })
    return tokensOf(pairs)
  }

  urlFor(alias: string, url: string): string {
    return urlNaming(alias, url, this.#place)
  }

  /** Each cookie of the name: a browser can hold stale ones of other paths. */
  #cookies({ headers }: RequestHead): readonly ReadonlyMap<string, string>[] {
    return pairsBehind(headers.cookie, this.#idPrefix, CANDIDATES_MAX).map(pairsOf)
  }

  #write(req: RequestHead, id: string | undefined, over: ReadonlySet<string>): ResponseHeader {
    const current = this.aliasOf(req)
    const held = new Map([...this.held(req)].filter(([alias, other]) => alias !== current && !over.has(other)))
    if (id !== undefined) held.set(current, id)
    if (held.size === 0) return this.#writer.drop(req)
    const bare = held.size === 1 ? held.get(DEFAULT_ALIAS) : undefined
    return this.#writer.write(req, bare ?? [...held].map(([alias, of]) => `${alias}.${of}`).join('~'))
  }
}

/** Id by alias; what is no pair is left out, and so is everything beyond the greatest number of accounts. */
function pairsOf(value: string): ReadonlyMap<string, string> {
  if (isWellFormed(value)) return new Map([[DEFAULT_ALIAS, value]])
  const pairs = new Map<string, string>()
  for (const pair of value.split('~', ACCOUNTS_MAX)) {
    const [alias = '', id = '', ...more] = pair.split('.')
    if (more.length === 0 && isAlias(alias) && isWellFormed(id) && !pairs.has(alias)) pairs.set(alias, id)
  }
  return pairs
}
