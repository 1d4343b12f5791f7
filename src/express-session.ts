/** The public face of `session-mesh/express-session`: a Store for express-session that merges instead of overwriting. */
import { ExpressSessionStore } from './http/express-session/store.js'
import type { StoreOptions, StoreSource } from './http/express-session/store-types.js'

export type { StoredSession, StoreOptions, StoreRequest, StoreSource } from './http/express-session/store-types.js'

/** `session({ store: new SessionMeshStore(cluster), … })`: the sessions of express-session, on every node. */
export class SessionMeshStore extends ExpressSessionStore {
  constructor(source: StoreSource, options: StoreOptions = {}) {
    super(source, { now: () => Date.now(), ...options })
  }
}
