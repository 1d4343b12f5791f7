import type { ConnectionOptions } from 'node:tls'
import { formatAddress, parseAddress } from '../../address.js'
import { BackendError } from '../../errors.js'

/** Where Redis is and how to get in. One of `cluster`, `sentinels`, `url` and `host` decides, in this order. */
export interface RedisTarget {
  readonly url?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly db?: number | undefined
  /** `host:port` of each Sentinel, and the name they know the primary by. */
  readonly sentinels?: readonly string[] | undefined
  readonly name?: string | undefined
  /** `host:port` of some nodes of a Redis Cluster. */
  readonly cluster?: readonly string[] | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly tls?: boolean | RedisTls | undefined
}

/** PEM texts. */
export interface RedisTls {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly servername?: string | undefined
}

export type RedisArgument = string | number | Uint8Array

/** What a connection writes to. */
export interface Corkable {
  cork(): void
  uncork(): void
}

/** What is used of an ioredis client; Redis and Cluster both are one. */
export interface Client {
  connect(): Promise<void>
  disconnect(reconnect?: boolean): void
  quit(): Promise<unknown>
  callBuffer(command: string, args: (string | number)[]): Promise<unknown>
  sendCommand(command: object): unknown
  info(section: string): Promise<string>
  subscribe(channel: string): Promise<unknown>
  pipeline(commands: unknown[][]): { exec(): Promise<[error: Error | null, result: unknown][] | null> }
  /** Of a Cluster: its connections. */
  readonly nodes?: (role: 'master' | 'all') => readonly { callBuffer: Client['callBuffer']; stream?: Corkable }[]
  /** Of a single server, once there was a connection. */
  readonly stream?: Corkable
  on(event: 'ready' | 'close' | 'connect' | 'reconnecting' | '+node' | '-node', listener: () => void): unknown
  on(event: 'error' | 'node error', listener: (error: Error) => void): unknown
  on(event: 'message', listener: (channel: string, text: string) => void): unknown
}

/** The part of ioredis that is needed; tests pass their own. */
export type Ioredis = Pick<typeof import('ioredis'), 'Redis' | 'Cluster' | 'Command'>

const RECONNECT_FIRST_MS = 50
const RECONNECT_MAX_MS = 500

/** ioredis, which users install themselves. */
export async function importIoredis(load: () => Promise<Ioredis> = () => import('ioredis')): Promise<Ioredis> {
  try {
    return await load()
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new BackendError("backend.type 'redis' needs the package ioredis: npm install ioredis", { cause: error })
  }
}

/** A client that is not connected yet, of the primary or of a replica that may answer instead. */
export function dial(ioredis: Ioredis, target: RedisTarget, timeoutMs: number, purpose: 'primary' | 'replica'): Client {
  const { Redis, Cluster } = ioredis
  const { cluster, sentinels, url, db } = target
  const common = commonOptions(target, timeoutMs)
  if (cluster !== undefined) {
    return new Cluster(cluster.map(endpoint), {
      redisOptions: common,
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: backOff,
      slotsRefreshTimeout: timeoutMs,
      slotsRefreshInterval: 5_000,
      retryDelayOnFailover: RECONNECT_FIRST_MS,
      retryDelayOnClusterDown: RECONNECT_FIRST_MS,
      retryDelayOnTryAgain: RECONNECT_FIRST_MS,
      scaleReads: purpose === 'replica' ? 'slave' : 'master',
    })
  }
  const single = { ...common, enableOfflineQueue: false, retryStrategy: backOff, ...(db === undefined ? {} : { db }) }
  if (sentinels !== undefined) {
    return new Redis({
      ...single,
      sentinels: sentinels.map(endpoint),
      name: target.name ?? 'mymaster',
      role: purpose === 'replica' ? 'slave' : 'master',
      sentinelRetryStrategy: backOff,
      sentinelCommandTimeout: timeoutMs,
      failoverDetector: true,
      updateSentinels: true,
    })
  }
  if (url !== undefined) return new Redis(url, single)
  return new Redis({ ...single, host: target.host ?? '127.0.0.1', port: target.port ?? 6379 })
}

function commonOptions({ username, password, tls }: RedisTarget, timeoutMs: number) {
  return {
    protocol: 2 as const,
    lazyConnect: true,
    connectTimeout: timeoutMs,
    keepAlive: 5_000,
    disableClientInfo: true,
    autoResendUnfulfilledCommands: false,
    // What was under way when a connection ends is told so at once: scripts can be repeated.
    maxRetriesPerRequest: 0,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined || tls === false ? {} : { tls: tlsOptions(tls === true ? {} : tls) }),
  }
}

function backOff(times: number): number {
  return Math.min(RECONNECT_FIRST_MS * 2 ** Math.min(times - 1, 10), RECONNECT_MAX_MS)
}

/** How people call it: addresses, never credentials. */
export function nameOf(target: RedisTarget): string {
  const { cluster, sentinels, name, host, port } = target
  if (cluster !== undefined) return `the cluster ${cluster.join(', ')}`
  if (sentinels !== undefined) return `the primary ${name ?? 'mymaster'} of the Sentinels ${sentinels.join(', ')}`
  if (target.url !== undefined) {
    const url = new URL(target.url)
    return formatAddress({ host: url.hostname, port: Number(url.port || 6379) })
  }
  return formatAddress({ host: host ?? '127.0.0.1', port: port ?? 6379 })
}

function tlsOptions({ ca, cert, key, servername }: RedisTls): ConnectionOptions {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
  }
}

function endpoint(address: string): { host: string; port: number } {
  const { host, port } = parseAddress(address) ?? { host: address, port: 6379 }
  return { host, port }
}
