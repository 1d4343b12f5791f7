import type { SessionData, Store } from 'express-session'
import { keeperOrders, ownId, type Attribute } from './keeper.js'
import type { Handlers } from './orders.js'

const COOKIE_MS = 30 * 60_000

/** A Store of express-session without express-session: what its middleware would ask of it. */
export function storeOrders(store: Store): Handlers {
  return keeperOrders<string>({
    create: async (attributes) => {
      const id = ownId()
      await called((done) => store.set(id, sessionOf(attributes), done))
      return id
    },
    write: async (id, [name, text]) => {
      const held = await called<SessionData | null | undefined>((done) => store.get(id, done))
      if (held === null || held === undefined) throw new Error('a session that was made is not there')
      await called((done) => store.set(id, { ...held, [name]: text }, done))
    },
  })
}

/** As express-session hands it to a store: attributes beside the cookie, which says how long it lives. */
function sessionOf(attributes: readonly Attribute[]): SessionData {
  const expires = new Date(Date.now() + COOKIE_MS)
  const cookie = { originalMaxAge: COOKIE_MS, expires, httpOnly: true, path: '/' }
  return { cookie, ...Object.fromEntries(attributes) }
}

function called<T = void>(call: (done: (error?: unknown, value?: T) => void) => unknown): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error === undefined || error === null ? resolve(value) : reject(error)))
  })
}
