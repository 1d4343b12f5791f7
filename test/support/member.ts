/**
 * A node of a cluster as a process of its own, for tests and benchmarks: serves sessions over HTTP, obeys its parent
 * over IPC, and ends with it. Configuration in SESSION_MESH_MEMBER (JSON).
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { createCluster, toPrometheus, type ClusterConfig } from '../../src/index.js'
import type { SessionId } from '../../src/session/session.js'
import { encodeValue } from '../../src/session/value.js'
import { CANARY_VALUE } from './canary/scan.js'
import { LONG_LIVED } from './long-lived.js'

export type Command =
  | { readonly type: 'fill'; readonly sessions: number; readonly bytes: number }
  | { readonly type: 'digest' | 'size' | 'counters' | 'health' | 'close' | 'lag' }
  /** How many of these ids this node finds; which of them it does not. */
  | { readonly type: 'held' | 'missing'; readonly ids: readonly string[] }
  /** Makes sessions and writes one attribute each, as fast as `rate` per second says; answers what was acknowledged. */
  | { readonly type: 'write'; readonly rate: number; readonly seconds: number; readonly acks: 'async' | 'one' | 'all' }

export interface Order {
  readonly order: number
  readonly command: Command
}

const config = JSON.parse(process.env['SESSION_MESH_MEMBER'] ?? '{}') as ClusterConfig
const cluster = await createCluster(config)
const { backend } = cluster
const middleware = cluster.sessions()
const health = cluster.health()

/** GET /set?name=value…, /get?name, /click, /login?user=x, /logout, /everywhere?user=x: just enough of an application. */
async function application(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const url = new URL(req.url ?? '/', 'http://member')
  const session = (req as { session?: unknown }).session as (Record<string, unknown> & { setPrincipal(user: string | null): Promise<void>; rotate(): Promise<void>; destroy(): Promise<void> }) | undefined
  switch (url.pathname) {
    case '/login':
      if (session !== undefined) {
        session['canary'] = CANARY_VALUE
        session['user'] = url.searchParams.get('user')
        if (url.searchParams.has('principal')) await session.setPrincipal(url.searchParams.get('user'))
        else await session.rotate()
      }
      break
    case '/everywhere':
      await cluster.logOutEverywhere(url.searchParams.get('user') ?? '')
      break
    case '/logout':
      await session?.destroy()
      break
    case '/click': {
      const [user, clicks = 0] = [session?.['user'], session?.['clicks']]
      if (session !== undefined && user !== undefined) session['clicks'] = Number(clicks) + 1
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify({ node: cluster.node, value: { user: user ?? null, clicks } }))
      return
    }
    case '/set':
      for (const [name, value] of url.searchParams) if (session !== undefined) session[name] = value
      break
    default:
  }
  const read = url.searchParams.get('name') ?? 'user'
  const value = url.pathname === '/logout' ? undefined : session?.[read]
  res.setHeader('content-type', 'application/json')
  res.end(JSON.stringify({ node: cluster.node, value: value ?? null }))
}

const server = createServer(LONG_LIVED, (req, res) => {
  if (req.url === '/readyz') {
    health.ready(req, res)
    return
  }
  if (req.url === '/metrics') {
    res.end(toPrometheus(cluster.metrics()))
    return
  }
  middleware(req, res, (error?: unknown) => {
    const fail = (problem: unknown): void => {
      const status = (problem as { status?: number }).status ?? 500
      if (!res.headersSent) res.writeHead(status)
      res.end(JSON.stringify({ error: problem instanceof Error ? problem.message : String(problem) }))
    }
    if (error !== undefined && error !== null) fail(error)
    else application(req, res).catch(fail)
  })
})

/** Every message is answered with what the session holds. */
const sockets = new WebSocketServer({ server })
cluster.bindWebSocket(sockets)
sockets.on('connection', (socket: WebSocket) => {
  socket.on('message', () => {
    cluster.webSocketSession(socket).then(
      (session) => socket.send(JSON.stringify({ node: cluster.node, ...session?.toObject() })),
      () => {},
    )
  })
})

async function obey(command: Command): Promise<unknown> {
  switch (command.type) {
    case 'fill':
      return fill(command.sessions, command.bytes)
    case 'write':
      return await write(command)
    case 'digest':
      return await backend.digest()
    case 'held':
      return command.ids.length - (await missing(command.ids)).length
    case 'missing':
      return await missing(command.ids)
    case 'size':
      return backend.size()
    case 'counters':
      return { ...backend.counters() }
    case 'health':
      return backend.health()
    case 'lag':
      return takeLag()
    case 'close':
      await cluster.close()
      server.close()
      return true
  }
}

/** Makes sessions with one attribute of `bytes`, a slice per turn so that links and timers live; answers 100 ids. */
async function fill(sessions: number, bytes: number): Promise<readonly SessionId[]> {
  const value = encodeValue('x'.repeat(bytes), 'value')
  const ids: SessionId[] = []
  for (let i = 0; i < sessions; i++) {
    const created = await backend.create({ writes: [{ name: 'value', kind: 0, value }] }, { maxIdleMs: 3_600_000, maxLifeMs: Infinity })
    if (i % Math.ceil(sessions / 100) === 0) ids.push(created.id)
    if (i % 200 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return ids
}

async function write(command: Extract<Command, { type: 'write' }>): Promise<number> {
  const { rate, seconds, acks } = command
  const startedAt = performance.now()
  const pending: Promise<void>[] = []
  let sent = 0
  while (performance.now() - startedAt < seconds * 1_000) {
    const due = ((performance.now() - startedAt) / 1_000) * rate
    for (; sent < due; sent++) pending.push(writeOne(sent, acks))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(pending)
  return sent
}

/** Tells the parent each acknowledged write at once: what it has heard of counts, even if this process dies then. */
async function writeOne(number: number, acks: 'async' | 'one' | 'all'): Promise<void> {
  const value = encodeValue(number, 'n')
  const lives = { maxIdleMs: 3_600_000, maxLifeMs: Infinity, acks, withinMs: 2_000 }
  const { id, outcome } = await backend.create({ writes: [{ name: 'n', kind: 0, value }] }, lives)
  if (outcome === 'done') process.send?.({ type: 'acknowledged', id, number })
}

async function missing(ids: readonly string[]): Promise<readonly string[]> {
  const not: string[] = []
  for (const id of ids) {
    const answer = await backend.load(id, undefined, { deadline: Date.now() + 2_000 })
    if (answer.state !== 'found') not.push(id)
  }
  return not
}

/** Event-loop delays since the last question, milliseconds, sampled every 5 ms. */
let lags: number[] = []
let lastSample = performance.now()
setInterval(() => {
  const now = performance.now()
  lags.push(Math.max(0, now - lastSample - 5))
  lastSample = now
}, 5).unref()

function takeLag(): { readonly p50: number; readonly p99: number; readonly max: number } {
  const sorted = lags.sort((a, b) => a - b)
  lags = []
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.on('message', (order: Order) => {
  obey(order.command).then(
    (answer) => process.send?.({ type: 'answer', order: order.order, answer }),
    (error: unknown) => process.send?.({ type: 'answer', order: order.order, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
process.send?.({ type: 'listening', port: (server.address() as AddressInfo).port })
cluster.ready().then(
  () => process.send?.({ type: 'ready' }),
  (error: unknown) => process.send?.({ type: 'failed', error: String(error) }),
)
