/** The stores of the scorecard, as their own documentation says to make them, each in this process. */
import expressSession from 'express-session'
import { randomBytes } from 'node:crypto'
import type { Audited, AuditedStore, Outage } from '../../src/auditor/store.js'
import { createCluster, type BackendConfig, type Cluster } from '../../src/index.js'
import { freePorts } from '../rig/free-ports.js'
import type { RedisServer } from '../rig/redis-server.js'

/** Milliseconds between two looks of memorystore for what has ended. */
const CHECK_PERIOD_MS = 86_400_000

type Redis = Pick<RedisServer, 'url' | 'pid'>

export interface Candidate {
  readonly title: string
  /** Of the package that the store comes from. */
  readonly package: string
  readonly open: () => Promise<Audited>
}

export function candidates(redis: Redis): readonly Candidate[] {
  return [
    {
      title: 'MemoryStore',
      package: 'express-session',
      open: async () => ({ store: asAudited(new expressSession.MemoryStore()) }),
    },
    { title: 'memorystore', package: 'memorystore', open: memorystore },
    { title: 'connect-redis, two instances', package: 'connect-redis', open: async () => await connectRedis(redis) },
    { title: 'SessionMeshStore, one node', package: 'session-mesh', open: async () => await ours({ type: 'memory' }, 1) },
    {
      title: 'SessionMeshStore, two nodes',
      package: 'session-mesh',
      open: async () => await ours({ type: 'replicated' }, 2),
    },
    {
      title: 'SessionMeshStore, two nodes on Redis',
      package: 'session-mesh',
      open: async () => ({ ...(await ours({ type: 'redis', url: redis.url }, 2)), outage: freezing(redis) }),
    },
  ]
}

async function memorystore(): Promise<Audited> {
  const { default: make } = await import('memorystore')
  const Store = make(expressSession)
  return { store: asAudited(new Store({ checkPeriod: CHECK_PERIOD_MS })) }
}

async function connectRedis(redis: Redis): Promise<Audited> {
  const [{ RedisStore }, { createClient }] = await Promise.all([import('connect-redis'), import('redis')])
  const clients = [createClient({ url: redis.url }), createClient({ url: redis.url })] as const
  for (const client of clients) {
    client.on('error', () => {})
    await client.connect()
  }
  const [store, other] = clients.map((client) => asAudited(new RedisStore({ client })))
  if (store === undefined || other === undefined) throw new Error('two clients make two stores')
  return { store, other, outage: freezing(redis), close: () => clients.forEach((client) => client.destroy()) }
}

/** Real nodes on loopback sockets. */
async function ours(backend: BackendConfig, nodes: number): Promise<Audited> {
  const peers = (await freePorts(nodes)).map((port) => `127.0.0.1:${port}`)
  const secret = randomBytes(32).toString('base64url')
  const clusters = await Promise.all(
    peers.map(async (listen, i): Promise<Cluster> => {
      const node = { id: `node-${i}`, listen }
      return await createCluster({ name: 'scorecard', node, peers, secret, backend })
    }),
  )
  await Promise.all(clusters.map(async (cluster) => await cluster.ready()))
  const [store, other] = clusters.map((cluster) => asAudited(cluster.store({ expressSession })))
  if (store === undefined) throw new Error('no node')
  const close = async (): Promise<void> => void (await Promise.all(clusters.map(async (cluster) => await cluster.close())))
  return { store, close, ...(other === undefined ? {} : { other }) }
}

/**
 * The types of stores name the requests of Express; an audit calls the methods that the documentation names.
 */
function asAudited(store: object): AuditedStore {
  return store as AuditedStore
}

/** Silence, as of a host that vanished; what Redis holds is there afterwards. */
function freezing({ pid }: Redis): Outage {
  return { begin: () => process.kill(pid, 'SIGSTOP'), end: () => process.kill(pid, 'SIGCONT') }
}
