import express from 'express'
import { randomBytes } from 'node:crypto'
import { createServer, request, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { onTestFinished, vi } from 'vitest'
import type { SessionBackend } from '../../src/backend/backend.js'
import { MemoryBackend } from '../../src/backend/memory/memory.js'
import { loadSession, sessions, type SessionMiddleware } from '../../src/http/middleware.js'
import { resolveSessionOptions, type SessionOptions } from '../../src/http/options.js'
import type { Session } from '../../src/http/handle/session-types.js'
import type { Log } from '../../src/log.js'
import { IdCodec } from '../../src/session/id.js'
import { LONG_LIVED } from '../support/long-lived.js'

export const ids: IdCodec = new IdCodec(['0123456789abcdef0123456789abcdef'], randomBytes)

/** What the sessions of these tests hold. Not by declaration merging: that would hold for every other test too. */
interface TestData {
  user: string | { name: string; roles?: string[] }
  n: number
  cart: { items: unknown[] }
  [name: string]: unknown
}

export interface TestRequest extends Omit<IncomingMessage, 'session'> {
  get session(): Session<TestData>
  set session(value: Session<TestData> | null)
}

/** A clock that moves when told. */
export class Clock {
  time: number = Date.UTC(2026, 0, 1)
  readonly now = (): number => this.time
}

/** Where an answer of a backend waits until the test lets it go, or breaks it. */
export class Latch {
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  #open = false

  /** Calls that wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  wait(): Promise<void> {
    if (this.#open) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** Lets everything pass, what comes later included. */
  open(): void {
    this.#open = true
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  close(): void {
    this.#open = false
  }

  /** Lets the one that waits longest pass. */
  passOne(): void {
    this.#waiting.shift()?.resolve()
  }

  /** Fails everything that waits. */
  fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

type Call = 'load' | 'read' | 'create' | 'save' | 'rotate' | 'destroy'

/** A backend whose answers to some calls come when the latch lets them, after the change itself or before it. */
export function held(backend: SessionBackend, calls: readonly Call[], latch: Latch): SessionBackend {
  return new Proxy(backend, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (!calls.some((call) => call === name)) return value.bind(target)
      return async (...args: unknown[]) => {
        await latch.wait()
        return Reflect.apply(value, target, args)
      }
    },
  })
}

/** A backend that answers every call a turn later, like one on another machine. */
export function remote(backend: SessionBackend): SessionBackend {
  const latch = new Latch()
  latch.open()
  return held(backend, ['load', 'create', 'save', 'rotate', 'destroy'], latch)
}

export interface Warning {
  readonly level: string
  readonly event: string
  readonly detail: unknown
}

/** A mounted middleware with what it stands on. */
export interface Mounted {
  readonly middleware: SessionMiddleware
  readonly backend: SessionBackend
  readonly clock: Clock
  readonly warnings: Warning[]
  readonly counter: (name: string) => number
}

export function mount(options: SessionOptions = {}, wrap: (memory: MemoryBackend) => SessionBackend = (memory) => memory): Mounted {
  const clock = new Clock()
  const warnings: Warning[] = []
  const log: Log = (level, event, fields) => void warnings.push({ level, event, detail: fields?.['detail'] })
  const memory = new MemoryBackend({ ids, now: clock.now })
  const backend = wrap(memory)
  const middleware = sessions(backend, resolveSessionOptions(options), { now: clock.now, log })
  const counter = (name: string): number => {
    const value = middleware.counters[`session_mesh_http_${name}`]
    if (value === undefined) throw new Error(`no counter ${name}`)
    return value
  }
  return { middleware, backend, clock, warnings, counter }
}

export type Handler = (req: TestRequest, res: ServerResponse) => void | Promise<void>

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly setCookie: readonly string[]
  readonly trailers: NodeJS.Dict<string>
  readonly body: string
}

export interface Sent {
  readonly method?: string
  readonly path?: string
  readonly cookie?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** A server on a free port of this host that ends with the test. */
export async function serve(listener: RequestListener): Promise<Client> {
  const server = createServer(LONG_LIVED, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => server.closeAllConnections())
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())))
  return new Client(server)
}

/** Requests to one server, and a cookie jar as simple as can be. */
export class Client {
  readonly server: Server
  readonly jar = new Map<string, string>()

  constructor(server: Server) {
    this.server = server
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** The same server, another browser. */
  other(): Client {
    return new Client(this.server)
  }

  /** Sends what the jar holds, or the cookie given; keeps what is set. */
  async get(path = '/', sent: Sent = {}): Promise<Answer> {
    const cookie = 'cookie' in sent ? sent.cookie : [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await this.send({ ...sent, path, cookie })
    for (const line of answer.setCookie) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/Max-Age=0/.test(line)) this.jar.delete(name)
      else this.jar.set(name, value)
    }
    return answer
  }

  send({ method = 'GET', path = '/', cookie, headers = {} }: Sent): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const given = cookie === undefined || cookie === '' ? headers : { ...headers, cookie }
      const sent = request({ host: '127.0.0.1', port: this.port, method, path, headers: given, agent: false }, (res) => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.on('error', reject)
        res.on('end', () =>
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            setCookie: res.headers['set-cookie'] ?? [],
            trailers: res.trailers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
      })
      sent.on('error', reject)
      sent.end()
    })
  }
}

type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void

/** How one framework mounts a middleware and a handler, answering errors with their status and message. */
export type Framework = (middleware: Middleware, handler: Handler) => RequestListener

interface ExpressLike {
  (): RequestListener & { use(...handlers: unknown[]): void; set(name: string, value: unknown): void }
}

const express4 = createRequire(import.meta.url)('express4') as ExpressLike

export const bare: Framework = (middleware, handler) => (req, res) => {
  const fail = (error: unknown): void => {
    res.statusCode = statusOf(error)
    res.end(`error: ${error instanceof Error ? error.message : String(error)}`)
  }
  middleware(req, res, (error?: unknown) => {
    if (error !== undefined) return fail(error)
    Promise.resolve()
      .then(() => handler(asTest(req), res))
      .catch(fail)
  })
}

function withExpress(framework: ExpressLike): Framework {
  return (middleware, handler) => {
    const app = framework()
    app.set('env', 'test')
    app.use(middleware)
    app.use((req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => {
      Promise.resolve()
        .then(() => handler(asTest(req), res))
        .catch(next)
    })
    // oxlint-disable-next-line max-params -- Express tells error handlers by their four parameters
    app.use((error: unknown, _req: IncomingMessage, res: ServerResponse, _next: unknown) => {
      res.statusCode = statusOf(error)
      res.end(`error: ${error instanceof Error ? error.message : String(error)}`)
    })
    return app
  }
}

export const frameworks: readonly (readonly [string, Framework])[] = [
  ['node:http', bare],
  ['Express 4', withExpress(express4)],
  ['Express 5', withExpress(express)],
]

function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 500
  return status >= 400 ? status : 500
}

function asTest(req: IncomingMessage): TestRequest {
  return req as unknown as TestRequest
}

/** The session of a request, on demand, with the attributes of these tests. */
export async function loadTestSession(req: TestRequest): Promise<Session<TestData>> {
  return (await loadSession(req as unknown as IncomingMessage)) as Session<TestData>
}

/** A handler by path. */
export function routes(table: Readonly<Record<string, Handler>>): Handler {
  return (req, res) => {
    const handler = table[(req.url ?? '/').split('?')[0] ?? '/']
    if (handler === undefined) {
      res.statusCode = 404
      res.end('no such path')
      return undefined
    }
    return handler(req, res)
  }
}

export function json(res: ServerResponse, value: unknown): void {
  res.setHeader('Content-Type', 'application/json')
  res.end(JSON.stringify(value) ?? 'null')
}

/** Waits until an expectation holds; looks every millisecond. */
export async function until(expectation: () => void): Promise<void> {
  await vi.waitFor(expectation, { interval: 1, timeout: 5_000 })
}

/** Runs steps in requests of one browser, one after the other; what a step throws, the test throws. */
export async function visit(mounted: Mounted, ...steps: readonly Handler[]): Promise<Client> {
  let failure: unknown
  let at = 0
  const client = await serve(
    bare(mounted.middleware, async (req, res) => {
      try {
        await steps[at++]?.(req, res)
      } catch (error) {
        failure = error
      }
      if (!res.writableEnded) res.end()
    }),
  )
  for (const _ of steps) {
    const { status, body } = await client.get()
    if (failure !== undefined) throw failure
    if (status >= 400) throw new Error(`status ${status}: ${body}`)
  }
  return client
}
