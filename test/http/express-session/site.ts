import express from 'express'
import expressSession, { type Session, type SessionOptions } from 'express-session'
import { createServer, request, type IncomingHttpHeaders } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { SessionBackend } from '../../../src/backend/backend.js'
import { SessionMeshStore, type StoreOptions } from '../../../src/express-session.js'
import { Clock, ready, replicated } from './nodes.js'

/** What the sessions of these tests hold. */
export interface TestData {
  n: number
  user: string
  cart: string[]
}

/** `req.session` is express-session's here, not that of our own middleware. */
export type SessionRequest = Omit<express.Request, 'session'> & { session: Session & Partial<TestData> }
export type Version = 'express 4' | 'express 5'
export type Handler = (req: SessionRequest, res: express.Response, next: express.NextFunction) => unknown

export interface SiteOptions extends Partial<SessionOptions> {
  /** Of Express: what `trust proxy` is set to. */
  readonly trust?: boolean
  readonly storeOptions?: StoreOptions
  /** Runs before the session middleware. */
  readonly before?: Handler
  /** Runs after it. */
  readonly after?: readonly express.RequestHandler[]
  /** Instead of express-session. */
  readonly sessions?: (backend: SessionBackend) => express.RequestHandler
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Whole Set-Cookie lines. */
  readonly setCookie: readonly string[]
}

/** An application on two nodes behind a round robin: every visit goes to the other node. */
export interface Site {
  readonly nodes: readonly SessionBackend[]
  readonly stores: readonly SessionMeshStore[]
  readonly clock: Clock
  visit(path?: string, headers?: Record<string, string>): Promise<Reply>
  /** A browser with a cookie jar. */
  browser(): Browser
  readonly advance: (ms: number) => Promise<void>
}

export interface Browser {
  readonly jar: Map<string, string>
  get(path?: string, headers?: Record<string, string>): Promise<Reply>
}

export const SECRET = 'a secret of thirty-two characters'

/** The same handler at every path of both nodes; what it returns is sent, unless it answers itself. */
export async function site(version: Version, options: SiteOptions, handler: Handler): Promise<Site> {
  const { trust, storeOptions, before, after = [], sessions, ...session } = options
  const clock = new Clock()
  const nodes = await replicated(2)
  const stores = nodes.map((backend) => new SessionMeshStore({ backend }, storeOptions))
  const ports = await Promise.all(
    stores.map(async (store, i) => {
      const backend = nodes[i] as SessionBackend
      const app = version === 'express 4' ? (createRequire(import.meta.url)('express4') as typeof express)() : express()
      app.set('trust proxy', trust === true)
      if (before !== undefined) app.use((req, res, next) => void before(req as unknown as SessionRequest, res, next))
      const ours = expressSession({ secret: SECRET, resave: false, saveUninitialized: false, store, ...session })
      app.use(sessions?.(backend) ?? ours)
      for (const middleware of after) app.use(middleware)
      app.use((req, res, next) => {
        Promise.resolve()
          .then(() => handler(req as unknown as SessionRequest, res, next))
          .then((answer) => answer === undefined || res.send(typeof answer === 'string' ? answer : JSON.stringify(answer)), next)
      })
      const failed: express.ErrorRequestHandler = (error: { status?: number; message?: string }, _req, res, next) => {
        if (res.headersSent) next(error)
        else res.status(error.status ?? 500).send(`failed: ${error.message}`)
      }
      app.use(failed)
      const server = createServer(app)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      onTestFinished(() => {
        server.close()
        server.closeAllConnections()
      })
      return (server.address() as AddressInfo).port
    }),
  )
  let visits = 0
  const visit: Site['visit'] = async (path = '/', headers = {}) => await ask(ports[visits++ % 2] ?? 0, path, headers)
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await ready(nodes)
  }
  return { nodes, stores, clock, visit, browser: () => browser(visit), advance }
}

function browser(visit: Site['visit']): Browser {
  const jar = new Map<string, string>()
  const get: Browser['get'] = async (path, headers = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const reply = await visit(path, { ...(cookie === '' ? {} : { cookie }), ...headers })
    for (const line of reply.setCookie) {
      const [pair = ''] = line.split(';')
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    return reply
  }
  return { jar, get }
}

async function ask(port: number, path: string, headers: Record<string, string>): Promise<Reply> {
  return await new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, headers, agent: false }, (res) => {
      let body = ''
      res.setEncoding('utf8').on('data', (text: string) => (body += text))
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body, setCookie: res.headers['set-cookie'] ?? [] }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}
