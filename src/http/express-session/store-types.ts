import type { Acks, SessionBackend } from '../../backend/backend.js'
import type { SessionLimits } from '../options.js'

/** Where a store gets its sessions from: a cluster, or anything else with a backend. */
export interface StoreSource {
  readonly backend: SessionBackend
  /** Resolves when no session can be served any more; the store then emits `disconnect`. */
  readonly closed?: Promise<void>
}

/** Times are milliseconds; `Infinity` means never. Everything can be left out. */
export interface StoreOptions {
  /** A session whose cookie has no `maxAge` ends when nobody used it for this long. Default one day. */
  readonly ttl?: number
  /** A session ends this long after its creation, used or not. Default Infinity. */
  readonly maxLifetime?: number
  readonly limits?: Partial<SessionLimits>
  /**
   * How many other nodes must have a save before it is answered. express-session cannot carry what a browser has seen, so
   * where reads may lag behind writes the default is 'all': the next request finds the save on whichever node it comes to.
   * Not in front of a near cache, whose copies no confirmation reaches: there it would only wait for Redis replicas.
   */
  readonly acks?: Acks
  /** How long to wait for them. Default: the backend's. */
  readonly within?: number
  /** Longest time a look-up may take; then it fails with NotReadyError (503). Default 2,000. */
  readonly loadWithin?: number
  /**
   * What saving does when the session ended while the request ran: `ignore` drops the changes (counted), `throw` fails
   * with SessionGoneError. Default 'ignore'.
   */
  readonly onGone?: 'ignore' | 'throw'
  /** Characters of the shortest id that `genid` may make; shorter ones can be guessed. Default 20. */
  readonly idLengthMin?: number
  /** The application's express-session, so that `req.session` is an instance of its `Session` class. */
  readonly expressSession?: {
    readonly Store: { readonly prototype: { createSession(req: StoreRequest, session: object): object } }
  }
  /** The clock, milliseconds since 1970. Default Date.now. */
  readonly now?: () => number
}

/** A session as `get` and `all` answer it: plain data, with the cookie as JSON has it. */
export interface StoredSession {
  readonly cookie?: unknown
  readonly [name: string]: unknown
}

/** What the store needs of a request. */
export interface StoreRequest {
  sessionID: string
  session?: unknown
  sessionStore?: unknown
}

export type Callback<T = void> = (error: unknown, value?: T) => void
