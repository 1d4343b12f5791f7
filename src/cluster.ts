/**
 * The composition root: the one file, besides the command line, that touches the real clock, the dice and the
 * environment. It wires; it decides nothing.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { hostname } from 'node:os'
import type { BackendHealth, SessionBackend } from './backend/backend.js'
import { keysOf, openBackend } from './backend/open.js'
import { resolveConfig, resolveSession, type Environment, type ResolvedConfig } from './config/config.js'
import type { ClusterConfig, SessionConfig } from './config/input.js'
import { deferred } from './deferred.js'
import { SessionMeshStore, type StoreOptions } from './express-session.js'
import type { CommitChoice, CommitOutcome, Session } from './http/handle/session-types.js'
import { loadSession, sessions, type SessionMiddleware } from './http/middleware.js'
import type { AttributeListener } from './http/services/attribute-watch.js'
import type { Explanation } from './http/services/explain.js'
import type { LoggedOut, PrincipalSession } from './http/services/principals.js'
import { refOf, SessionServices } from './http/services/session-services.js'
import type { BindableSocket, BindOptions, BoundSocket } from './http/sockets/bindable-socket.js'
import type { WebSocketLike, WebSocketOptions, WebSocketServerLike } from './http/sockets/websocket.js'
import type { Log } from './log.js'
import { AdminServer, type MemberStatus } from './observe/admin-server.js'
import { healthHandlers, type HealthHandlers } from './observe/health.js'
import { lineLog, openLog } from './observe/log-sinks.js'
import { collectMetrics, type Metrics } from './observe/metrics.js'
import { SessionEvents, type ListenOptions, type SessionEventListener, type SessionEventMap } from './observe/session-events.js'
import { pooled } from './session/random-pool.js'
import type { SessionRef } from './session/session.js'
import { VERSION } from './version.js'

/** Makes this process a node of its cluster: checks the configuration, opens the backend, joins the peers. */
export async function createCluster(config: ClusterConfig): Promise<Cluster> {
  return await openCluster(resolveConfig(config, realEnvironment()), config.session)
}

/** The same from a configuration that is already resolved; `session` is what `sessions(options)` builds upon. */
export async function openCluster(config: ResolvedConfig, session?: SessionConfig): Promise<Cluster> {
  const log = openLog(config.log, lineLog((line) => process.stderr.write(line)))
  for (const { level, event, detail } of config.notes) log(level, event, { detail })
  const startedAt = Date.now()
  const dice = { random: Math.random, randomBytes: pooled(randomBytes) }
  const world = { now: Date.now, ...dice, log, actor: drawActor(), startedAt }
  const cluster = new Cluster({ config, session, log, startedAt, backend: openBackend(config, world) })
  await cluster.open()
  return cluster
}

/** What configurations are completed from, in earnest. */
export function realEnvironment(): Environment {
  return {
    variables: process.env,
    hostname: hostname(),
    now: Date.now,
    readFile: (path) => readFileSync(path, 'utf8'),
  }
}

/** A random integer from 1 to 2^53 - 1: no two starts of any node share one. */
function drawActor(): number {
  const bytes = randomBytes(8)
  return (bytes.readUInt32BE(0) & 0x1f_ffff) * 0x1_0000_0000 + bytes.readUInt32BE(4) || 1
}

interface ClusterParts {
  readonly config: ResolvedConfig
  readonly session: SessionConfig | undefined
  readonly log: Log
  readonly startedAt: number
  readonly backend: SessionBackend
}

/** One node of a cluster, as an application holds it. */
export class Cluster {
  /** Where the sessions live. */
  readonly backend: SessionBackend
  readonly #parts: ClusterParts
  readonly #admin: AdminServer
  readonly #events: SessionEvents
  readonly #services: SessionServices
  readonly #mounted: Pick<SessionMiddleware, 'counters'>[] = []
  #closing: Promise<void> | undefined
  readonly #closed = deferred<void>()
  /** Resolves when this node has left the cluster and serves no session any more. */
  readonly closed: Promise<void> = this.#closed.promise

  /** Use `createCluster`. */
  constructor(parts: ClusterParts) {
    this.#parts = parts
    this.backend = parts.backend
    const { config, backend, log } = parts
    const { session, maxSessions, debug } = config
    this.#events = new SessionEvents(backend, log)
    const secrets = keysOf(config)
    this.#services = new SessionServices({ backend, session, secrets, maxSessions, ...debug, now: Date.now, log })
    this.#mounted.push(this.#services.sockets)
    this.#admin = new AdminServer({
      secrets: parts.config.secrets,
      now: Date.now,
      status: () => this.#status(),
      metrics: () => this.metrics(),
    })
  }

  /** Opens what is configured; what was opened is closed again when something fails. */
  async open(): Promise<void> {
    const { admin } = this.#parts.config
    try {
      await this.backend.open()
      this.#services.open()
      if (admin !== undefined) await this.#admin.open(admin.listen)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Name of this node. */
  get node(): string {
    return this.#parts.config.node.id
  }

  /** `host:port` of the admin server; empty when there is none. */
  get adminAddress(): string {
    return this.#admin.address
  }

  /** Resolves when this node can serve every session of the cluster. */
  async ready(): Promise<void> {
    await this.backend.ready()
  }

  /** Middleware for Express, connect and node:http. `options` change single options of `session` for this mount. */
  sessions(options: SessionConfig = {}): SessionMiddleware {
    const { config, session } = this.#parts
    const isPlain = Object.keys(options).length === 0
    const resolved = isPlain ? config.session : resolveSession(mergeOptions(session, options), config.limits)
    const middleware = sessions(this.backend, resolved, this.#services.world)
    this.#mounted.push(middleware)
    return middleware
  }

  /**
   * A Store for express-session, where that stays: `session({ store: cluster.store(), … })`. Lifetimes and limits are those
   * of the configuration, as far as it says any.
   */
  store(options: StoreOptions = {}): SessionMeshStore {
    const { config, session } = this.#parts
    const { ttl, maxLifetime, limits } = config.session
    const lives = { ...(session?.ttl === undefined ? {} : { ttl }), maxLifetime, limits, now: Date.now }
    const store = new SessionMeshStore(this, { ...lives, ...options })
    this.#mounted.push(store)
    return store
  }

  /** The session of a request; loads it where the middleware has not (`load: 'on-demand'`). */
  async session(req: IncomingMessage): Promise<Session> {
    return await loadSession(req)
  }

  // ── Sockets ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Binds every WebSocket of a `WebSocketServer` (ws) to the session of its request: what arrives keeps the session
   * alive, and when it ends, on whatever node, the socket is closed with 1008. Answers how to stop.
   */
  bindWebSocket(server: WebSocketServerLike, options: WebSocketOptions = {}): () => void {
    return this.#services.webSockets.serve(server, options)
  }

  /** The session of a bound WebSocket as it is now; undefined where it has none. Commit what you change. */
  async webSocketSession(socket: WebSocketLike): Promise<Session | undefined> {
    return await this.#services.webSockets.session(socket)
  }

  /** The same as `bindWebSocket` for one connection of any kind (Socket.IO, event streams). */
  async bindSocket(socket: BindableSocket, req: IncomingMessage, options: BindOptions = {}): Promise<BoundSocket> {
    return await this.#services.sockets.bind(socket, req, options)
  }

  // ── Principals ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Live sessions of a principal, the one used last first. `current`: the session of the request that asks. */
  async sessionsOf(principal: string, { current }: { current?: Session } = {}): Promise<readonly PrincipalSession[]> {
    return await this.#services.principals.sessionsOf(principal, refOf(current))
  }

  /** Ends the session that a `handle` of `sessionsOf` stands for, on every node. */
  async end(handle: string, choice?: CommitChoice): Promise<CommitOutcome> {
    return await this.#services.principals.end(handle, choice)
  }

  /** Ends every session of a principal on every node, those this node has not heard of included. */
  async logOutEverywhere(principal: string, options: CommitChoice & { except?: Session } = {}): Promise<LoggedOut> {
    const { except, ...choice } = options
    return await this.#services.principals.logOutEverywhere(principal, refOf(except), choice)
  }

  // ── Watching ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Tells `listener` what happens to sessions, here and on other nodes. Answers how to stop. */
  on<T extends keyof SessionEventMap>(type: T, listener: SessionEventListener<T>, options?: ListenOptions): () => void {
    return this.#events.on(type, listener, options)
  }

  /** Tells `listener` which values one attribute gets and loses by commits on this node. Answers how to stop. */
  onAttribute(name: string, listener: AttributeListener): () => void {
    return this.#services.attributes.on(name, listener)
  }

  /** What events call a session; undefined as long as nothing was committed to it. */
  refOf(session: Session): SessionRef | undefined {
    return refOf(session)
  }

  /** What this node knows of one session: no id and no values. */
  async explain(ref: SessionRef): Promise<Explanation> {
    return await this.#services.explain(ref)
  }

  // ── Operation ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Handlers to mount at /healthz and /readyz. */
  health(): HealthHandlers {
    return healthHandlers(() => this.#health())
  }

  /** Everything counted on this node; `toPrometheus` turns it into text. */
  metrics(): Metrics {
    const { startedAt } = this.#parts
    return collectMetrics({ backend: this.backend, counters: () => this.#httpCounters(), startedAt, now: Date.now })
  }

  /** Not ready from now on; sends what is unsent, says goodbye to the peers and stops listening. Idempotent. */
  async close(): Promise<void> {
    this.#services.close()
    this.#closing ??= Promise.all([this.backend.close(), this.#admin.close()]).then(() => this.#closed.resolve())
    await this.#closing
  }

  #health(): BackendHealth {
    const health = { ...this.backend.health(), node: this.node }
    return this.#closing === undefined ? health : { ...health, ready: false, detail: 'closing' }
  }

  #status(): MemberStatus {
    const { config, startedAt } = this.#parts
    return {
      ...this.#health(),
      ...this.backend.size(),
      service: 'session-mesh',
      version: VERSION,
      cluster: config.name,
      node: this.node,
      backend: this.backend.type,
      startedAt,
    }
  }

  #httpCounters(): Metrics {
    const sums: Record<string, number> = {}
    for (const { counters } of this.#mounted) {
      for (const [name, value] of Object.entries(counters)) sums[name] = (sums[name] ?? 0) + value
    }
    return sums
  }
}

function mergeOptions(base: SessionConfig = {}, options: SessionConfig): SessionConfig {
  const cookie = { ...base.cookie, ...options.cookie }
  return { ...base, ...options, cookie, merge: { ...base.merge, ...options.merge } }
}
