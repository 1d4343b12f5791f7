/**
 * The application that all stacks on Express serve: the same routes and the same answers, over whatever keeps the
 * session. As few settings as possible: Express and its session middleware as people install them.
 */
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import { attributeName, textOf } from './text.js'

export type SessionData = Record<string, unknown>

export interface Stack {
  readonly middleware: RequestHandler
  /** The request's session: read and written as an object. */
  readonly session: (req: Request) => SessionData
  /** Ends the request's session. */
  readonly destroy: (req: Request, res: Response) => Promise<void>
}

export function application({ middleware, session, destroy }: Stack): Express {
  const app = express()
  app.use(middleware)

  /** A new session of so many attributes of so many bytes each. */
  app.post('/create/:version/:count/:bytes', (req, res) => {
    const { version, count, bytes } = req.params
    const data = session(req)
    const text = textOf(version, Number(bytes))
    for (let i = 0; i < Number(count); i++) data[attributeName(i)] = text
    res.send(text)
  })
  app.get('/read/:name', (req, res) => {
    res.send(textIn(session(req), req.params.name))
  })
  app.post('/write/:name/:version/:bytes', (req, res) => {
    const { name, version, bytes } = req.params
    const text = textOf(version, Number(bytes))
    session(req)[name] = text
    res.send(text)
  })
  /** The same from a handler that takes its time, with the session at hand. */
  app.post('/slow/:name/:version/:bytes/:ms', (req, res) => {
    const { name, version, bytes, ms } = req.params
    const data = session(req)
    setTimeout(() => {
      const text = textOf(version, Number(bytes))
      data[name] = text
      res.send(text)
    }, Number(ms))
  })
  app.post('/increment/:name', (req, res) => {
    const data = session(req)
    const { name } = req.params
    const next = Number(data[name] ?? 0) + 1
    data[name] = next
    res.send(String(next))
  })
  app.post('/logout', (req, res, next) => {
    destroy(req, res).then(() => res.send('out'), next)
  })
  return app
}

function textIn(data: SessionData, name: string): string {
  const value = data[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
