/**
 * A store under express-session behind real HTTP, in this process: what a request does is a function of the
 * audit.
 */
import { once } from 'node:events'
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ExpressSession, Middleware, SessionData } from './store.js'

/**
 * Runs while the request is open; what it answers is what the visitor gets. `res` is for those who answer
 * themselves.
 */
export type Work = (session: SessionData, res: ServerResponse) => unknown

export interface SiteOptions {
  readonly expressSession: ExpressSession
  readonly store: object
  readonly secret: string
  readonly resave?: boolean
  readonly maxAgeMs?: number
}

export interface Answer {
  readonly status: number
  /** Of the work; undefined when it did not run. */
  readonly value: unknown
  readonly location: string | undefined
}

/** What a request is to do, and what came of it. */
interface Entry {
  readonly work: Work
  value?: unknown
}

/** The header that names its entry. */
const WORK = 'x-work'
/** Longer than any pause of an audit: no request meets a connection that is just being closed. */
const KEEP_ALIVE_MS = 600_000

export class Site {
  readonly #middleware: Middleware
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 128 })
  readonly #works = new Map<string, Entry>()
  /** express-session listens to its store for good; the next site on it listens itself. */
  readonly #forget: () => void
  /** Of every session that was used here. */
  readonly ids = new Set<string>()
  #port = 0
  #count = 0
  /** What express-session gave to `next` after the request was answered. */
  readonly lateErrors: unknown[] = []

  constructor({ expressSession, store, secret, resave = false, maxAgeMs }: SiteOptions) {
    const cookie = maxAgeMs === undefined ? {} : { cookie: { maxAge: maxAgeMs } }
    const before = listenersOf(store)
    this.#middleware = expressSession({ store, secret, resave, saveUninitialized: false, ...cookie })
    const added = listenersOf(store).filter(([, listener]) => !before.some(([, other]) => other === listener))
    this.#forget = () => added.forEach(([event, listener]) => isEmitter(store) && store.off(event, listener))
    this.#server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (req, res) => this.#answer(req, res))
  }

  async open(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : 0
  }

  async close(): Promise<void> {
    this.#forget()
    this.#agent.destroy()
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  /** One request; resolves with the headers or, where the answer has no other end, when it is whole. */
  async ask(cookies: Map<string, string>, work: Work, until: 'headers' | 'end' = 'end'): Promise<Answer> {
    const key = String(++this.#count)
    const entry: Entry = { work }
    this.#works.set(key, entry)
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { [WORK]: key, ...(cookie === '' ? {} : { cookie }) }
    try {
      const outgoing = request({ agent: this.#agent, host: '127.0.0.1', port: this.#port, headers })
      const res = await new Promise<IncomingMessage>((resolve, reject) => {
        outgoing.once('response', resolve).once('error', reject).end()
      })
      for (const line of res.headers['set-cookie'] ?? []) keep(cookies, line)
      res.resume()
      if (until === 'end') await once(res, 'end')
      return { status: res.statusCode ?? 0, value: entry.value, location: res.headers.location }
    } finally {
      this.#works.delete(key)
    }
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    const entry = this.#works.get(String(req.headers[WORK]))
    this.#middleware(req, res, (error) => {
      if (res.headersSent) return void this.lateErrors.push(error)
      if (error !== undefined || entry === undefined) return void res.writeHead(500).end()
      const session: unknown = Reflect.get(req, 'session')
      // What express-session does when its store says that it is disconnected.
      if (!isSession(session)) return void res.writeHead(503).end()
      this.ids.add(session.id)
      run(entry, session, res).catch((failure: unknown) => {
        this.lateErrors.push(failure)
        res.destroy()
      })
    })
  }
}

async function run(entry: Entry, session: SessionData, res: ServerResponse): Promise<void> {
  entry.value = await entry.work(session, res)
  if (!res.writableEnded) res.end('done')
}

type Listener = (...args: readonly unknown[]) => void

interface Emitter {
  listeners(event: string): readonly Listener[]
  off(event: string, listener: Listener): unknown
}

function listenersOf(store: object): readonly (readonly [event: string, listener: Listener])[] {
  if (!isEmitter(store)) return []
  return ['connect', 'disconnect'].flatMap((event) => {
    return store.listeners(event).map((listener) => [event, listener] as const)
  })
}

function isEmitter(store: object): store is Emitter {
  return ['listeners', 'off'].every((name) => typeof Reflect.get(store, name) === 'function')
}

function isSession(value: unknown): value is SessionData {
  return typeof value === 'object' && value !== null && 'cookie' in value
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = ''] = line.split(';')
  const at = pair.indexOf('=')
  cookies.set(pair.slice(0, at), pair.slice(at + 1))
}
