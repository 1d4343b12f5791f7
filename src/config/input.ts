import type { Acks } from '../backend/backend.js'
import type { Duration } from '../duration.js'
import type { CookieOptions, SessionOptions } from '../http/options.js'
import type { Log } from '../log.js'

/**
 * Everything that can be configured, checked as a whole before anything is opened. Every option may be left out but
 * `name`. An option that is `undefined` counts as left out.
 */
export interface ClusterConfig {
  /** Name of the cluster, the same on all nodes. Nodes of other clusters are refused. */
  readonly name: string
  readonly node?: NodeConfig | undefined
  /**
   * Where the nodes are, `host:port` each; the same list on every node, itself included. Default: the environment
   * variable SESSION_MESH_PEERS (comma separated), else none: a cluster of one.
   */
  readonly peers?: readonly string[] | undefined
  /**
   * What nodes prove to each other that they belong together, and what session ids are signed with: at least 32
   * random bytes (`openssl rand -base64 32`), the same on all nodes. Of a list the first signs and all verify, so a
   * secret is changed by three rolling restarts: [old, new], [new, old], [new]. Required as soon as an address is not
   * loopback, unless `tls` is given. Default: the environment variable SESSION_MESH_SECRET.
   */
  readonly secret?: string | readonly string[] | undefined
  /** TLS in both directions between nodes: each proves itself with a certificate of `ca`. Paths or PEM texts. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca: string } | undefined
  /** Where sessions live. Default: `{ type: 'replicated' }`. */
  readonly backend?: BackendConfig | undefined
  readonly limits?: LimitsConfig | undefined
  readonly session?: SessionConfig | undefined
  /** How many sessions one principal (`session.setPrincipal`) may have. Default: any number. */
  readonly maxSessions?: MaxSessionsConfig | undefined
  readonly debug?: DebugConfig | undefined
  /**
   * A small HTTP server for `session-mesh status`, `/healthz`, `/readyz` and `/metrics` of this node. Loopback only.
   * Default: none; `session-mesh start` without it has no such server either.
   */
  readonly admin?: { readonly listen: string } | undefined
  /** Where log events go: a function, or a logger such as pino. Default: warnings and errors as lines on stderr. */
  readonly log?: Log | Logger | undefined
}

export interface NodeConfig {
  /**
   * Name of this node: unique in the cluster, the same after a restart. Default: the environment variable
   * SESSION_MESH_NODE, else the host name. Several nodes on one machine need one each.
   */
  readonly id?: string | undefined
  /**
   * `host:port` where this node listens for its peers. Default: the environment variable SESSION_MESH_LISTEN, else
   * 127.0.0.1:7946.
   */
  readonly listen?: string | undefined
  /**
   * `host:port` under which peers reach this node, where that is not `listen` (containers, 0.0.0.0). Default: the
   * environment variable SESSION_MESH_ADVERTISE, else the address it listens on.
   */
  readonly advertise?: string | undefined
}

export type BackendConfig = ReplicatedBackendConfig | MemoryBackendConfig | RedisBackendConfig | TieredBackendConfig

/** Sessions in this process alone, for tests and for a single node. They end with the process. */
export interface MemoryBackendConfig {
  readonly type: 'memory'
}

/** Every node holds every session and tells the others what changes. */
export interface ReplicatedBackendConfig {
  readonly type: 'replicated'
  /**
   * How long a starting node waits for a peer that does not answer before it goes on without it. Time in which it has no CPU
   * does not count. Default 3s.
   */
  readonly bootstrapTimeout?: Duration | undefined
  /** What a node does for a browser that has already seen newer data on another node. */
  readonly stamps?:
    | {
        /** Longest wait for the missing data. Default 1s. */
        readonly wait?: Duration | undefined
        /** After that wait: serve what is here (counted and marked), or answer 503. Default 'serve'. */
        readonly onStale?: 'serve' | '503' | undefined
        /** When the node that had the data is gone for good with it. Default 'accept'. */
        readonly onLost?: 'accept' | 'error' | 'fresh' | undefined
      }
    | undefined
  /** How many other nodes must have a change before the request is answered. */
  readonly acks?:
    | {
        /** Ordinary changes. Default 'async': the change leaves at once, nobody waits. */
        readonly write?: Acks | undefined
        /** Logouts. Default 'all' reachable nodes. */
        readonly kill?: Acks | undefined
        /** New ids after a login. Default 'all' reachable nodes. */
        readonly rotate?: Acks | undefined
        /** Longest wait for the confirmations; then the answer is given, counted as unknown. Default 250ms. */
        readonly within?: Duration | undefined
      }
    | undefined
}

/**
 * Sessions in Redis; every node only asks. Needs the package ioredis. One of `url`, `host` (and `port`), `sentinels` and
 * `cluster` says where; default: the environment variable REDIS_URL.
 */
export interface RedisBackendConfig {
  readonly type: 'redis'
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  readonly url?: string | undefined
  readonly host?: string | undefined
  /** Default 6379. */
  readonly port?: number | undefined
  /** Number of the database. Default 0. */
  readonly db?: number | undefined
  /** `host:port` of each Sentinel. */
  readonly sentinels?: readonly string[] | undefined
  /** What the Sentinels call the primary. Default 'mymaster'. */
  readonly name?: string | undefined
  /** `host:port` of some nodes of a Redis Cluster; the others are found. */
  readonly cluster?: readonly string[] | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** TLS with the authorities of the platform (true), or with these: PEM texts, or paths of them. */
  readonly tls?:
    | boolean
    | { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly servername?: string }
    | undefined
  /** What all keys begin with: clusters that share a Redis need one each. Default 'session-mesh'. */
  readonly prefix?: string | undefined
  /**
   * 'replica': loads are answered by a replica where that is not behind what the browser has seen, else by the primary.
   * A logout reaches such reads as fast as Redis replicates. Default 'primary'.
   */
  readonly readFrom?: 'primary' | 'replica' | undefined
  /** Longest time for one call; then the request gets an error (503). Default 1s. */
  readonly timeout?: Duration | undefined
  /** Redis not there at start: 'fail', or 'wait' and answer errors until it is. Default 'fail'. */
  readonly onUnreachable?: 'fail' | 'wait' | undefined
  /** Values as JSON text, readable in redis-cli, where JSON can say them exactly. Can be changed at any time. Default false. */
  readonly json?: boolean | undefined
}

/**
 * Two backends as one: `near` is asked first, `far` lasts. What they missed of each other while one was away is merged.
 * See docs/tiered-and-migration.md for what each mode promises.
 */
export interface TieredBackendConfig {
  readonly type: 'tiered'
  /** Default `{ type: 'replicated' }`. 'memory' is for a single node, or for mode 'near-cache'. */
  readonly near?: ReplicatedBackendConfig | MemoryBackendConfig | undefined
  /** Its absence at start is waited for, whatever `onUnreachable` says. */
  readonly far: RedisBackendConfig
  /**
   * 'write-behind': near is the truth, far a durable copy that is `flushInterval` behind. 'near-cache': far is the truth,
   * near answers reads from copies. 'both': every write is in both before it is answered and every read looks at both, while
   * nodes move from one to the other. Default 'write-behind'.
   */
  readonly mode?: 'write-behind' | 'near-cache' | 'both' | undefined
  /** Changes of one session within this time go to the far side as one. Default 100ms. */
  readonly flushInterval?: Duration | undefined
  /** Sessions that may wait for the far side; beyond it they are found again by comparing everything. Default 100,000. */
  readonly queue?: number | undefined
  /** Not in mode 'near-cache': so many sessions at most are brought over at start, else as they are asked for. Default 20,000. */
  readonly warmUp?: number | undefined
  /** Mode 'near-cache': a copy is served for this long without asking, if no event said that it changed. Default 1s. */
  readonly staleFor?: Duration | undefined
}

/** What happens at a limit: the request that goes over it fails and changes nothing; no live session is dropped. */
export interface LimitsConfig {
  /** Live sessions of the cluster. Default 1,000,000. */
  readonly sessions?: number | undefined
  /** Encoded bytes of one session, names included. Default 65,536. */
  readonly sessionBytes?: number | undefined
  /** Attributes of one session. Default 1,024. */
  readonly attributes?: number | undefined
}

export interface MaxSessionsConfig {
  /** Exact for logins on one node; two nodes can let one in each at the same time. */
  readonly perPrincipal: number
  /**
   * One more: `refuse` fails its `setPrincipal` with a LimitError (status 409), `oldest-out` ends the oldest of the
   * others; what two nodes let in at the same time is settled the same way on all. Default 'oldest-out'.
   */
  readonly policy?: 'refuse' | 'oldest-out' | undefined
}

/** For finding out what an application does. Costs time and memory. */
export interface DebugConfig {
  /** Remembers which lines of the application made which sessions; `cluster.explain(ref)` tells. Default false. */
  readonly creationStacks?: boolean | undefined
}

/** The options of the middleware (http/options.ts); lifetimes may be texts such as '30m'. */
export interface SessionConfig
  extends Omit<SessionOptions, 'ttl' | 'maxLifetime' | 'touchAfter' | 'loadWithin' | 'limits' | 'cookie'> {
  /** A session ends when nobody used it for this long. Infinity: never. Default 30m. */
  readonly ttl?: Duration | undefined
  /** A session ends this long after its creation, used or not. Default: never. */
  readonly maxLifetime?: Duration | undefined
  /** An access is noted when the last noted one is at least this old. Default: ttl / 20, at most 60s. */
  readonly touchAfter?: Duration | undefined
  /** Longest time a load may take; then the request is answered 503. Default 2s. */
  readonly loadWithin?: Duration | undefined
  readonly cookie?: CookieConfig | undefined
}

export interface CookieConfig extends Omit<CookieOptions, 'maxAge'> {
  /** How long the browser keeps it, at most 400 days. Default: until the browser closes. */
  readonly maxAge?: Duration | undefined
}

/** A logger as pino has it. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** The same object, typed: for completion and checks in `cluster.config.ts`. */
export function defineConfig(config: ClusterConfig): ClusterConfig {
  return config
}
