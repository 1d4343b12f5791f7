import type { IncomingMessage } from 'node:http'
import type { SeenTokens } from '../backend/backend.js'

/** Ids of one request that are looked up: a browser can hold stale ones, an attacker can add many. */
export const CANDIDATES_MAX = 4

/** How ids and stamps travel between browser and server. Knows nothing of what they mean. */
export interface Carrier {
  /** Well-formed ids that the request brings, in its order, at most CANDIDATES_MAX. */
  ids(req: IncomingMessage): readonly string[]

  /** What the browser has seen, if it says so. */
  seen(req: IncomingMessage): SeenTokens | undefined

  /** Why an id cannot reach the browser of this request; undefined when it can. */
  obstacle(req: IncomingMessage): string | undefined

  /** Makes the browser hold `id` from now on. */
  grant(req: IncomingMessage, id: string): ResponseHeader

  /** Makes the browser forget its id. */
  revoke(req: IncomingMessage): ResponseHeader

  /** Makes the browser bring `token` along for a while. */
  stamp(req: IncomingMessage, slot: string, token: string): ResponseHeader
}

/** One header to add to a response. Of several with the same key only the last is sent. */
export interface ResponseHeader {
  readonly key: string
  readonly name: string
  readonly value: string
}
