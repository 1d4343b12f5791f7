import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { formatAddress, isLoopback, parseAddress } from '../address.js'
import type { BackendHealth } from '../backend/backend.js'
import { ConfigError } from '../errors.js'
import { adminKeys, signAnswer, verifyRequest } from './admin-proof.js'
import { healthHandlers, sendJson, type HealthHandlers } from './health.js'
import { toPrometheus, type Metrics } from './metrics.js'

/** What a member tells of itself to `session-mesh status`. */
export interface MemberStatus extends BackendHealth {
  readonly service: 'session-mesh'
  readonly version: string
  readonly cluster: string
  readonly node: string
  readonly backend: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly sessions: number
  readonly bytes: number
}

/** Names the proof of an answer. */
export const PROOF_HEADER = 'x-session-mesh-proof'

/** What the admin server shows. */
export interface AdminSources {
  readonly secrets: readonly string[]
  readonly now: () => number
  readonly status: () => MemberStatus
  readonly metrics: () => Metrics
}

/**
 * /status, /healthz, /readyz and /metrics of one member, on loopback only. /status needs a proof of the cluster secret
 * where there is one; the others tell nothing but numbers and node names. A page in a browser of the same machine gets
 * nothing: an Origin is refused, and so is a Host that is not loopback (DNS rebinding).
 */
export class AdminServer {
  readonly #server: Server
  readonly #sources: AdminSources
  readonly #keys: readonly Buffer[]
  readonly #health: HealthHandlers

  constructor(sources: AdminSources) {
    this.#sources = sources
    this.#keys = adminKeys(sources.secrets)
    this.#health = healthHandlers(sources.status)
    this.#server = createServer({ headersTimeout: 5_000, requestTimeout: 5_000, maxHeaderSize: 8_192 }, (req, res) => {
      this.#answer(req, res)
    })
    this.#server.maxConnections = 64
  }

  /** Where it listens; known after open(). */
  get address(): string {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null
      ? formatAddress({ host: address.address, port: address.port })
      : ''
  }

  /** Starts to listen. Rejects with one line when it cannot. */
  async open(listen: string): Promise<void> {
    const address = parseAddress(listen)
    if (address === undefined || !isLoopback(address.host)) {
      throw new ConfigError([`admin.listen: ${listen} is not loopback`])
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => {
        reject(new ConfigError([`admin.listen: cannot listen on ${listen} (${codeOf(error)})`]))
      })
      this.#server.listen(address.port, address.host, resolve)
    })
  }

  /** Answers what is being answered, then closes. Idempotent. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeIdleConnections()
    })
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    const host = req.headers.host ?? ''
    const isLocal = isLoopback(parseAddress(host)?.host ?? host)
    if (req.headers.origin !== undefined || !isLocal) return sendJson(req, res, 403, { error: 'not from a browser' })
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD')
      return sendJson(req, res, 405, { error: 'GET only' })
    }
    const [path = ''] = (req.url ?? '').split('?', 1)
    switch (path) {
      case '/healthz':
        return this.#health.live(req, res)
      case '/readyz':
        return this.#health.ready(req, res)
      case '/metrics':
        res.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
        res.end(toPrometheus(this.#sources.metrics()))
        return
      case '/status':
        return this.#status(req, res, host)
      default:
        return sendJson(req, res, 404, { error: 'not found' })
    }
  }

  #status(req: IncomingMessage, res: ServerResponse, host: string): void {
    const status = this.#sources.status()
    if (this.#keys.length === 0) return sendJson(req, res, 200, status)
    const request = verifyRequest(this.#keys, req.headers.authorization, host, this.#sources.now())
    if (request === undefined) return sendJson(req, res, 401, { service: 'session-mesh', error: 'not authenticated' })
    const body = JSON.stringify(status)
    res.setHeader(PROOF_HEADER, signAnswer(request, body))
    res.setHeader('Content-Type', 'application/json; charset=utf-8')
    res.end(body)
  }
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message
}
