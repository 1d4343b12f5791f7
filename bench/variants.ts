/** What is compared, as data. Each is a real process per node, of one of the programs in `bench/servers/`. */
import type { BackendConfig, ReplicatedBackendConfig } from '../src/index.js'

export type Program = 'raw-http' | 'floor' | 'express-session' | 'mesh' | 'mesh-store'

export interface Variant {
  readonly name: string
  /** For people. */
  readonly title: string
  readonly program: Program
  /** Of express-session, where that is the program. */
  readonly store?: 'memory' | 'memorystore' | 'connect-redis'
  /** Of session-mesh, where it is part of the program; the rig says where Redis is. */
  readonly backend?: BackendConfig
  /** A cluster.config.ts of the user's own, instead of `backend`. */
  readonly configFile?: string
  /** Needs a redis-server. */
  readonly redis: boolean
  /** Several nodes of it serve the same sessions. */
  readonly shared: boolean
  /** Must be installed. */
  readonly packages: readonly string[]
}

const EXPRESS = ['express'] as const
const EXPRESS_SESSION = ['express', 'express-session'] as const

const replicated = (write: 'async' | 'one' | 'quorum' | 'all'): ReplicatedBackendConfig => {
  return { type: 'replicated', acks: { write } }
}

const mesh = (name: string, title: string, backend: BackendConfig): Variant => {
  const redis = backend.type === 'redis' || backend.type === 'tiered'
  const packages = redis ? [...EXPRESS, 'ioredis'] : EXPRESS
  return { name, title, program: 'mesh', backend, redis, shared: backend.type !== 'memory', packages }
}

const alone = { redis: false, shared: false } as const

export const VARIANTS: readonly Variant[] = [
  { name: 'raw-http', title: 'node:http and a Map', program: 'raw-http', ...alone, packages: [] },
  { name: 'floor', title: 'Express and a Map', program: 'floor', ...alone, packages: EXPRESS },
  {
    name: 'es-memory',
    title: 'express-session + MemoryStore',
    program: 'express-session',
    store: 'memory',
    ...alone,
    packages: EXPRESS_SESSION,
  },
  {
    name: 'es-memorystore',
    title: 'express-session + memorystore',
    program: 'express-session',
    store: 'memorystore',
    ...alone,
    packages: [...EXPRESS_SESSION, 'memorystore'],
  },
  {
    name: 'es-connect-redis',
    title: 'express-session + connect-redis',
    program: 'express-session',
    store: 'connect-redis',
    redis: true,
    shared: true,
    packages: [...EXPRESS_SESSION, 'connect-redis', 'redis'],
  },
  mesh('mesh-memory', 'session-mesh, memory', { type: 'memory' }),
  mesh('mesh-async', 'session-mesh, replicated', replicated('async')),
  mesh('mesh-one', "session-mesh, replicated, acks 'one'", replicated('one')),
  mesh('mesh-quorum', "session-mesh, replicated, acks 'quorum'", replicated('quorum')),
  mesh('mesh-all', "session-mesh, replicated, acks 'all'", replicated('all')),
  mesh('mesh-redis', 'session-mesh, Redis', { type: 'redis' }),
  mesh('mesh-tiered-behind', 'session-mesh, replicated before Redis', {
    type: 'tiered',
    near: { type: 'replicated' },
    far: { type: 'redis' },
    mode: 'write-behind',
  }),
  mesh('mesh-tiered-cache', 'session-mesh, Redis with near cache', {
    type: 'tiered',
    near: { type: 'memory' },
    far: { type: 'redis' },
    mode: 'near-cache',
  }),
  {
    name: 'store-memory',
    title: 'express-session + SessionMeshStore, memory',
    program: 'mesh-store',
    backend: { type: 'memory' },
    ...alone,
    packages: EXPRESS_SESSION,
  },
  {
    name: 'store-mesh',
    title: 'express-session + SessionMeshStore, replicated',
    program: 'mesh-store',
    backend: { type: 'replicated' },
    redis: false,
    shared: true,
    packages: EXPRESS_SESSION,
  },
]

/** The cluster of a user's own configuration, measured as one more; `config` is what the file says, not yet checked. */
export function variantOfConfig(configFile: string, config: unknown): Variant {
  const { backend = { type: 'replicated' } } = Object(config) as { readonly backend?: BackendConfig }
  const variant = mesh('yours', 'your cluster.config', backend)
  // Its Redis, if it has one, is its own.
  return { ...variant, configFile, redis: false }
}

/** The variant of that name; a mistake of the caller where there is none. */
export function variantNamed(name: string, variants: readonly Variant[] = VARIANTS): Variant {
  const found = variants.find((variant) => variant.name === name)
  if (found === undefined) throw new Error(`no variant is called ${name}`)
  return found
}
