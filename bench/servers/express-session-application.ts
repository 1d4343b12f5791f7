import type { Express } from 'express'
import expressSession, { type Store } from 'express-session'
import { application, type SessionData } from './application.js'

/** The application on express-session, over any store, with the settings that its README recommends. */
export function expressSessionApplication(store: Store): Express {
  return application({
    middleware: expressSession({ secret: 'a secret of the benchmark', resave: false, saveUninitialized: false, store }),
    session: (req) => req.session as unknown as SessionData,
    destroy: async (req) => {
      await new Promise<void>((resolve, reject) => {
        req.session.destroy((error: unknown) => (error === undefined || error === null ? resolve() : reject(error)))
      })
    },
  })
}
