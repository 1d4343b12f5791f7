/** The floor: Express, one cookie, and a Map. What no session middleware for Express can do without. */
import { randomUUID } from 'node:crypto'
import { parseCookie } from 'cookie'
import { application, type SessionData } from './application.js'
import { keeperOrders, ownId } from './keeper.js'
import { serve } from './serve.js'

const sessions = new Map<string, SessionData>()

declare global {
  namespace Express {
    interface Request {
      floor?: SessionData
    }
  }
}

const app = application({
  middleware: (req, res, next) => {
    const { sid = '' } = parseCookie(req.headers.cookie ?? '')
    let session = sessions.get(sid)
    if (session === undefined) {
      session = {}
      const id = randomUUID()
      sessions.set(id, session)
      res.setHeader('set-cookie', `sid=${id}; Path=/; HttpOnly`)
    }
    req.floor = session
    next()
  },
  session: (req) => req.floor ?? {},
  destroy: async (req) => {
    const { sid = '' } = parseCookie(req.headers.cookie ?? '')
    sessions.delete(sid)
  },
})

const orders = keeperOrders<SessionData>({
  create: (attributes) => {
    const session: SessionData = {}
    for (const [name, text] of attributes) session[name] = text
    sessions.set(ownId(), session)
    return session
  },
  write: (session, [name, text]) => {
    session[name] = text
  },
})

await serve(app, { orders })
