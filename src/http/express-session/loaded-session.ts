import { isObject } from './json.js'
import { COOKIE } from './lifetime.js'
import { SessionCookie } from './session-cookie.js'
import type { Callback, StoreRequest } from './store-types.js'

/** What a loaded session asks of its store. */
export interface SessionKeeper {
  get(id: string, callback: Callback<object | null>): void
  set(id: string, session: object, callback: Callback): void
  destroy(id: string, callback: Callback): void
  regenerate(req: StoreRequest, callback: Callback): void
  createSession(req: StoreRequest, data: object): object
}

/** `req.session` of a session that was loaded: its attributes, and the methods that express-session gives a session. */
export class LoadedSession {
  declare readonly cookie: SessionCookie
  readonly #keeper: SessionKeeper
  readonly #req: StoreRequest
  readonly #id: string

  constructor(req: StoreRequest, data: object, keeper: SessionKeeper, now: () => number) {
    this.#keeper = keeper
    const stored = 'cookie' in data ? data.cookie : undefined
    if (!isObject(stored)) throw new TypeError('the stored session has no cookie: it is not one of express-session')
    this.#req = req
    this.#id = req.sessionID
    const own = this as Record<string, unknown>
    for (const [name, value] of Object.entries(data)) {
      // An attribute never takes the place of a method.
      if (!(name in this)) own[name] = name === COOKIE ? new SessionCookie(stored, now) : value
    }
  }

  get req(): StoreRequest {
    return this.#req
  }

  get id(): string {
    return this.#id
  }

  /** Starts the cookie's lifetime anew. */
  touch(): this {
    return this.resetMaxAge()
  }

  resetMaxAge(): this {
    this.cookie.maxAge = this.cookie.originalMaxAge
    return this
  }

  /** Writes what changed, now; otherwise express-session does when the response ends. */
  save(callback: Callback = () => {}): this {
    this.#keeper.set(this.id, this, callback)
    return this
  }

  /** Loads the session again: `req.session` is another object then. */
  reload(callback: Callback): this {
    this.#keeper.get(this.id, (error, data) => {
      if (error !== null && error !== undefined) return callback(error)
      if (data === null || data === undefined) return callback(new Error('the session cannot be loaded again: it is over'))
      this.#keeper.createSession(this.req, data)
      callback(undefined)
    })
    return this
  }

  /** Ends the session for good, on every node. */
  destroy(callback: Callback = () => {}): this {
    delete this.req.session
    this.#keeper.destroy(this.id, callback)
    return this
  }

  /** Ends this session; `req.session` is a new, empty one then. */
  regenerate(callback: Callback): this {
    this.#keeper.regenerate(this.req, callback)
    return this
  }
}
