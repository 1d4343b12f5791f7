import type { Log } from '../../log.js'
import { RedisClient, type Confirmed } from './client.js'
import { dial, importIoredis, nameOf, type Client, type Ioredis, type RedisArgument, type RedisTarget } from './dial.js'
import type { Script } from './lua/script.js'

export interface ServersOptions {
  readonly target: RedisTarget
  readonly readFrom: 'primary' | 'replica'
  readonly timeoutMs: number
  readonly now: () => number
  readonly random: () => number
  readonly log: Log
  /** Default: the installed package. */
  readonly ioredis?: (() => Promise<Ioredis>) | undefined
}

/** Connections of one backend: to the primary, to a replica where reads may go there, and one for commits that wait. */
export class RedisServers {
  readonly #options: ServersOptions
  readonly #ioredis: Ioredis
  readonly primary: RedisClient
  #replica: RedisClient | undefined
  #confirming: RedisClient | undefined
  #replicas = 0

  constructor(options: ServersOptions, ioredis: Ioredis) {
    this.#options = options
    this.#ioredis = ioredis
    this.primary = this.#client(options.target, 'primary')
  }

  static async load(options: ServersOptions): Promise<RedisServers> {
    return new RedisServers(options, await (options.ioredis ?? importIoredis)())
  }

  /** What may be read from instead of the primary, while it is there. */
  get replica(): RedisClient | undefined {
    return this.#replica?.isUp === true ? this.#replica : undefined
  }

  /** Replicas that a commit can wait for, per primary. */
  get replicas(): number {
    return this.#replicas
  }

  /** A connection outside of all this, for events. */
  dial(): Client {
    return dial(this.#ioredis, this.#options.target, this.#options.timeoutMs, 'primary')
  }

  /** Runs a commit and waits for replicas on a connection of its own: WAIT holds up everything behind it. */
  async confirmed(
    script: Script,
    key: string,
    args: readonly RedisArgument[],
    replicas: number,
    withinMs: number,
  ): Promise<Confirmed> {
    if (this.#confirming === undefined) {
      this.#confirming = this.#client(this.#options.target, 'primary')
      await this.#confirming.open(this.#options.timeoutMs)
    }
    return await this.#confirming.runConfirmed(script, key, args, replicas, withinMs)
  }

  /** Looks at what serves: who follows, whether sessions can be evicted, whether this is a primary at all. */
  async look(): Promise<void> {
    const { log, target } = this.#options
    const server = nameOf(target)
    const memory = await this.primary.info('memory')
    const policy = memory.get('maxmemory_policy') ?? 'noeviction'
    if (policy !== 'noeviction') {
      const detail = `under memory pressure it drops sessions, logged-in ones too; set maxmemory-policy noeviction`
      log('warn', 'redis-may-evict', { server, policy, detail })
    }
    const replication = await this.count()
    if (replication.get('role') === 'slave' && target.cluster === undefined) {
      const detail = 'every write will be refused; point `backend` at the primary, or promote this one (REPLICAOF NO ONE)'
      log('warn', 'redis-is-a-replica', { server, detail })
    }
    if (this.#options.readFrom === 'replica') await this.#openReplica(replication)
  }

  /** Counts who follows. */
  async count(): Promise<ReadonlyMap<string, string>> {
    const replication = await this.primary.info('replication')
    this.#replicas = Number(replication.get('connected_slaves') ?? 0)
    return replication
  }

  async close(): Promise<void> {
    await Promise.all([this.primary.close(), this.#replica?.close(), this.#confirming?.close()])
  }

  async #openReplica(replication: ReadonlyMap<string, string>): Promise<void> {
    const { target, timeoutMs, log } = this.#options
    const isFixed = target.cluster === undefined && target.sentinels === undefined
    const replica = isFixed ? replicaOf(target, replication) : target
    if (replica === undefined) {
      log('warn', 'redis-no-replica', { server: nameOf(target), detail: 'reads go to the primary' })
      return
    }
    this.#replica ??= this.#client(replica, 'replica')
    await this.#replica.open(timeoutMs).catch((error: unknown) => {
      log('warn', 'redis-no-replica', { server: nameOf(replica), detail: String(error) })
    })
  }

  #client(target: RedisTarget, purpose: 'primary' | 'replica'): RedisClient {
    const { timeoutMs, now, random, log } = this.#options
    const evalsha = purpose === 'replica' && target.cluster !== undefined ? 'evalsha_ro' : 'evalsha'
    const client = dial(this.#ioredis, target, timeoutMs, purpose)
    return new RedisClient({ client, server: nameOf(target), timeoutMs, evalsha, now, random, log })
  }
}

/** The first replica that a primary names. */
function replicaOf(target: RedisTarget, replication: ReadonlyMap<string, string>): RedisTarget | undefined {
  const [, host, port] = /ip=([^,]+),port=(\d+)/.exec(replication.get('slave0') ?? '') ?? []
  if (host === undefined || port === undefined) return undefined
  if (target.url === undefined) return { ...target, host, port: Number(port) }
  const url = new URL(target.url)
  url.hostname = host
  url.port = port
  return { ...target, url: url.href }
}
