import { createServer } from 'node:http'
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from 'node:http'
import { Client } from './client.js'

export interface Target {
  readonly name: string
  readonly port: number
}

/** One answer that went through the proxy. */
export interface Answered {
  readonly node: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly location: string | undefined
  readonly user: string | undefined
  readonly ms: number
}

export interface ProxyOptions {
  /** All nodes, dead ones included: like any load balancer, the proxy finds out by itself. */
  readonly targets: () => readonly Target[]
  readonly now: () => number
  /** Answers by itself what is not the shop's; true when it did. */
  readonly control: (req: IncomingMessage, res: ServerResponse) => boolean
  readonly answered: (answer: Answered) => void
}

/** How long a node that refused a connection is passed over before it is tried again. */
const DOWN_FOR_MS = 300
const ANSWER_WITHIN_MS = 15_000
/** Longer than any pause of the demo: no request meets a connection that is just being closed. */
const KEEP_ALIVE_MS = 65_000
const CONNECTIONS_PER_NODE = 256
/** Headers that speak of one connection only; the proxy's two connections have their own. */
const NOT_FORWARDED = new Set([
  'connection', 'expect', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
])

/** A round-robin reverse proxy: request after request to the next node, no stickiness at all. */
export class RoundRobinProxy {
  readonly #options: ProxyOptions
  readonly #client: Client
  readonly #server: Server
  readonly #downUntil = new Map<string, number>()
  #turn = 0

  constructor(options: ProxyOptions) {
    this.#options = options
    this.#client = new Client(CONNECTIONS_PER_NODE, ANSWER_WITHIN_MS, options.now)
    this.#server = createServer((req, res) => {
      if (!options.control(req, res)) this.#forward(new Passage(req, res, options.now()))
    })
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS
  }

  async open(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', () => resolve())
    })
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    this.#client.close()
    await closed
  }

  /** The next request is this node's turn, were it down a moment ago; the round goes on from there. */
  turnTo(name: string): void {
    const index = this.#options.targets().findIndex((target) => target.name === name)
    if (index >= 0) this.#turn = index
    this.#downUntil.delete(name)
  }

  #forward(passage: Passage): void {
    const target = this.#next(passage)
    if (target === undefined) {
      passage.refuse(502, 'No node could answer. Start one, then try again.')
      return
    }
    passage.tried.add(target.name)
    const { req, res } = passage
    const options = { port: target.port, method: req.method, path: req.url, headers: forwarded(req) }
    const upstream = this.#client.request(options, (answer) => this.#answer(passage, target, answer))
    upstream.on('error', (error) => this.#failed(passage, target, error))
    res.once('close', () => {
      if (!res.writableFinished) upstream.destroy()
    })
    passage.sendTo(upstream)
  }

  /** The next node that is not down; when all are, the next that this request has not tried yet. */
  #next(passage: Passage): Target | undefined {
    const targets = this.#options.targets()
    const now = this.#options.now()
    const round = targets.map((_, step) => (this.#turn + step) % targets.length)
    const open = round.filter((index) => !passage.tried.has(targets[index]?.name ?? ''))
    const index = open.find((at) => (this.#downUntil.get(targets[at]?.name ?? '') ?? 0) <= now) ?? open[0]
    if (index === undefined) return undefined
    this.#turn = (index + 1) % targets.length
    return targets[index]
  }

  #failed(passage: Passage, target: Target, error: Error): void {
    const { req, res } = passage
    if (res.destroyed) return
    if (passage.answering) {
      res.destroy() // headers are out: the browser must see that the rest is missing
      return
    }
    this.#downUntil.set(target.name, this.#options.now() + DOWN_FOR_MS)
    if (passage.mayBeSentAgain) {
      this.#forward(passage)
      return
    }
    const status = error.message === 'timeout' ? 504 : 502
    passage.refuse(status, `Node ${target.name} did not answer, and ${req.method} is not repeated.`)
  }

  #answer(passage: Passage, target: Target, answer: IncomingMessage): void {
    const { req, res } = passage
    const status = answer.statusCode ?? 502
    passage.answering = true
    this.#downUntil.delete(target.name)
    res.writeHead(status, endToEnd(answer.rawHeaders))
    answer.on('error', () => res.destroy())
    answer.pipe(res)
    const user = answer.headers['x-shop-user']
    this.#options.answered({
      node: target.name,
      method: req.method ?? 'GET',
      path: req.url ?? '/',
      status,
      location: answer.headers.location,
      user: typeof user === 'string' ? user : undefined,
      ms: this.#options.now() - passage.startedAt,
    })
  }
}

/** One request on its way through, with what is needed to decide whether it may be sent a second time. */
class Passage {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly startedAt: number
  readonly tried = new Set<string>()
  answering = false
  #sent = false

  constructor(req: IncomingMessage, res: ServerResponse, startedAt: number) {
    this.req = req
    this.res = res
    this.startedAt = startedAt
  }

  /** Nothing of it has left, or doing it twice is the same as doing it once (RFC 9110, 9.2.2). */
  get mayBeSentAgain(): boolean {
    return !this.#sent || this.#isPlainRead
  }

  get #isPlainRead(): boolean {
    const { method, headers } = this.req
    const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
    return (method === 'GET' || method === 'HEAD') && !hasBody
  }

  /** A body leaves only when the node's connection is open: until then another node can have it. */
  sendTo(upstream: ClientRequest): void {
    const send = (): void => {
      this.#sent = true
      this.req.pipe(upstream)
    }
    if (this.#isPlainRead) upstream.end()
    else upstream.once('socket', (socket) => (socket.connecting ? socket.once('connect', send) : send()))
  }

  refuse(status: number, text: string): void {
    const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Retry-After': '1' }
    this.res.writeHead(status, headers).end(`${text}\n`)
  }
}

function forwarded(req: IncomingMessage): OutgoingHttpHeaders {
  const { remoteAddress } = req.socket
  const headers: OutgoingHttpHeaders = { 'x-forwarded-for': remoteAddress, 'x-forwarded-proto': 'http' }
  for (const [name, value] of Object.entries(req.headers)) {
    if (!NOT_FORWARDED.has(name)) headers[name] ??= value
  }
  return headers
}

/** Name, value, name, value: as they came, so that two cookies stay two lines. */
function endToEnd(raw: readonly string[]): string[] {
  return raw.filter((_, index) => !NOT_FORWARDED.has((raw[index - (index % 2)] ?? '').toLowerCase()))
}
