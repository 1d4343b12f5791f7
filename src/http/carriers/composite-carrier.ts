import type { SeenTokens } from '../../backend/backend.js'
import type { RequestHead } from '../request/request-head.js'
import type { Accounts } from './accounts.js'
import { CANDIDATES_MAX, type Carrier, type ResponseHeader } from './carrier.js'

/**
 * Several carriers at once: browsers with cookies and clients with headers, say. Ids of all are looked up, in their
 * order. A new id goes out by the one carrier that the request came by, never by all: what is in a cookie hidden from
 * scripts must not be in a header as well, where any script can read it.
 */
export class CompositeCarrier implements Carrier {
  readonly accounts: Accounts | undefined
  readonly #carriers: readonly [Carrier, ...Carrier[]]

  constructor(carriers: readonly [Carrier, ...Carrier[]]) {
    this.#carriers = carriers
    this.accounts = carriers.find(({ accounts }) => accounts !== undefined)?.accounts
  }

  ids(req: RequestHead): readonly string[] {
    const ids = new Set(this.#carriers.flatMap((carrier) => carrier.ids(req)))
    return [...ids].slice(0, CANDIDATES_MAX)
  }

  /** Of all that bring an id. Each token says itself which session it is about, so no slot may hide another's. */
  seen(req: RequestHead): SeenTokens | undefined {
    const tokens = new Map<string, string>()
    for (const [index, carrier] of this.#carriers.entries()) {
      if (carrier.ids(req).length === 0) continue
      for (const [slot, token] of carrier.seen(req) ?? []) tokens.set(tokens.has(slot) ? `${slot}.${index}` : slot, token)
    }
    return tokens.size === 0 ? undefined : tokens
  }

  isSpoken(req: RequestHead): boolean {
    return this.#carriers.some((carrier) => carrier.isSpoken(req))
  }

  /** The carrier of the id; else the first that the request speaks, as by an empty header; else the first. */
  answering(req: RequestHead, id: string | undefined): Carrier {
    const bringing = id === undefined ? undefined : this.#carriers.find((carrier) => carrier.ids(req).includes(id))
    return bringing ?? this.#carriers.find((carrier) => carrier.isSpoken(req)) ?? this.#carriers[0]
  }

  obstacle(req: RequestHead): string | undefined {
    return this.answering(req, undefined).obstacle(req)
  }

  grant(req: RequestHead, id: string, over?: ReadonlySet<string>): ResponseHeader {
    return this.answering(req, undefined).grant(req, id, over)
  }

  revoke(req: RequestHead, over?: ReadonlySet<string>): readonly ResponseHeader[] {
    const bringing = this.#carriers.filter((carrier) => carrier.ids(req).length > 0)
    return (bringing.length > 0 ? bringing : [this.answering(req, undefined)]).flatMap((carrier) => carrier.revoke(req, over))
  }

  stamp(req: RequestHead, tokens: SeenTokens): readonly ResponseHeader[] {
    return this.answering(req, undefined).stamp(req, tokens)
  }
}
