import type { SeenTokens } from '../../backend/backend.js'
import type { RequestHead } from '../request/request-head.js'
import type { Accounts } from './accounts.js'

/** Ids of one request that are looked up: a browser can hold stale ones, an attacker can add many. */
export const CANDIDATES_MAX = 4

/** How ids and stamps travel between browser and server. Knows nothing of what they mean, and keeps nothing. */
export interface Carrier {
  /** Well-formed ids that the request brings, in its order, at most CANDIDATES_MAX. */
  ids(req: RequestHead): readonly string[]

  /** What the browser has seen, if it says so. */
  seen(req: RequestHead): SeenTokens | undefined

  /** Whether the request shows, with an id or without a usable one, that its sender knows this carrier. */
  isSpoken(req: RequestHead): boolean

  /** The carrier to answer by: of several, the one that `id` came by. Undefined: no id was of use. */
  answering(req: RequestHead, id: string | undefined): Carrier

  /** Why an id cannot reach the browser of this request; undefined when it can. */
  obstacle(req: RequestHead): string | undefined

  /** Makes the browser hold `id` from now on. `over`: other ids it brought that name nothing any more. */
  grant(req: RequestHead, id: string, over?: ReadonlySet<string>): ResponseHeader

  /** Makes the browser forget the id of this request, wherever it holds it. */
  revoke(req: RequestHead, over?: ReadonlySet<string>): readonly ResponseHeader[]

  /** Makes the browser bring tokens along for a while. */
  stamp(req: RequestHead, tokens: SeenTokens): readonly ResponseHeader[]

  /** Where a browser can have several sessions: which, and which of them a request is about. */
  readonly accounts: Accounts | undefined
}

/** One header to add to a response. Of several with the same key only the last is sent. */
export interface ResponseHeader {
  readonly key: string
  readonly name: string
  readonly value: string
}
