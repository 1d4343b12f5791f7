/**
 * Compiled, never run: a program that imports express-session and session-mesh, as one that moves from the one to the
 * other does, or stays with the one for its sessions and takes the Store of the other. `req.session` is both.
 */
import express from 'express'
import session from 'express-session'
import { createCluster, type Session } from 'session-mesh'

declare module 'express-session' {
  interface SessionData {
    typeTestViews?: number
  }
}

export async function staying(): Promise<express.Express> {
  const cluster = await createCluster({ name: 'shop' })
  const app = express()
  app.use(session({ store: cluster.store(), secret: 'a secret', resave: false, saveUninitialized: false }))
  app.use((req, res, next) => {
    const left: number | null | undefined = req.session.cookie.maxAge
    req.session.cookie.maxAge = (left ?? 0) + 1_000
    req.session.typeTestViews = (req.session.typeTestViews ?? 0) + 1
    const id: string = req.sessionID
    req.session.regenerate((error: unknown) => (error === undefined ? res.end(id) : next(error)))
    // @ts-expect-error -- declared as a number
    req.session.typeTestViews = 'many'
  })
  return app
}

export async function moved(): Promise<express.Express> {
  const cluster = await createCluster({ name: 'shop' })
  const app = express()
  app.use(cluster.sessions())
  app.use((req, res, next) => {
    const mine: Session<{ user: string }> = req.session
    mine.user = 'ada'
    const isNew: boolean = req.session.isNew
    req.session.rotate().then(() => res.end(String(isNew)), next)
  })
  return app
}
