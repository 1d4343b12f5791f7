import type { Log } from '../../log.js'
import { RedisClient } from './client.js'
import { commandsOf, type Commands } from './commands.js'
import { Confirmations } from './confirmations.js'
import { dial, importIoredis, nameOf, type Client, type Ioredis, type RedisTarget } from './dial.js'
import { infoOf, type Info } from './info.js'
import { PlainReads } from './plain-reads.js'
import { textOf } from './reply-parts.js'

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

/** Connections of one backend: to the primary, to a replica where reads may go there, and one to ask for confirmations. */
export class RedisServers {
  readonly #options: ServersOptions
  readonly #ioredis: Ioredis
  readonly #commands: Commands
  readonly primary: RedisClient
  readonly plainReads: PlainReads
  #replica: RedisClient | undefined
  #confirming: { readonly client: RedisClient; readonly confirmations: Confirmations } | undefined
  #replicas = 0

  constructor(options: ServersOptions, ioredis: Ioredis) {
    this.#options = options
    this.#ioredis = ioredis
    this.#commands = commandsOf(ioredis)
    const { target, now, log } = options
    this.primary = this.#client(target, 'primary')
    this.plainReads = new PlainReads({ client: this.primary, server: nameOf(target), now, log })
  }

  static async load(options: ServersOptions): Promise<RedisServers> {
    return new RedisServers(options, await (options.ioredis ?? importIoredis)())
  }

  /** What may be read from instead of the primary, while it is there. */
  get replica(): RedisClient | undefined {
    return this.#replica?.isUp === true ? this.#replica : undefined
  }

  get isCluster(): boolean {
    return this.#options.target.cluster !== undefined
  }

  /** Replicas that a commit can wait for, per primary. */
  get replicas(): number {
    return this.#replicas
  }

  /** A connection outside of all this, for events. */
  dial(): Client {
    return dial(this.#ioredis, this.#options.target, this.#options.timeoutMs, 'primary')
  }

  /** Whether so many replicas have what the primary of `mark` has now. */
  async confirmed(mark: string, replicas: number, withinMs: number): Promise<boolean> {
    this.#confirming ??= this.#openConfirming()
    return await this.#confirming.confirmations.wait(mark, replicas, withinMs)
  }

  /** Looks at what serves: who follows, whether sessions can be evicted, whether this is a primary at all. */
  async look(): Promise<void> {
    const { log, target } = this.#options
    const replication = await this.count()
    if (replication.get('role') === 'slave' && target.cluster === undefined) {
      const detail = 'every write will be refused; point `backend` at the primary, or promote this one (REPLICAOF NO ONE)'
      log('warn', 'redis-is-a-replica', { server: nameOf(target), detail })
    }
    if (this.#options.readFrom === 'replica') await this.#openReplica(replication)
  }

  /** Counts who follows, and looks whether sessions can be read without a script. */
  async count(): Promise<Info> {
    const replication = await infoOf(this.primary, 'replication', this.#options.log)
    this.#replicas = this.isCluster ? await this.#perPrimary() : Number(replication.get('connected_slaves') ?? 0)
    await this.plainReads.look()
    return replication
  }

  /** Replicas of each primary of a cluster, where they are spread evenly. */
  async #perPrimary(): Promise<number> {
    const nodes = textOf(await this.primary.command('cluster', ['nodes'])).split('\n')
    const count = (role: string): number => nodes.filter((line) => new RegExp(`\\b${role}\\b`).test(line)).length
    return Math.round(count('slave') / Math.max(1, count('master')))
  }

  async close(): Promise<void> {
    await Promise.all([this.primary.close(), this.#replica?.close(), this.#confirming?.client.close()])
  }

  async #openReplica(replication: Info): Promise<void> {
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

  #openConfirming(): { readonly client: RedisClient; readonly confirmations: Confirmations } {
    const client = this.#client(this.#options.target, 'primary')
    // Until it is there, and when it is not, nothing is confirmed.
    client.open(this.#options.timeoutMs).catch(() => {})
    return { client, confirmations: new Confirmations(client) }
  }

  #client(target: RedisTarget, purpose: 'primary' | 'replica'): RedisClient {
    const { timeoutMs, now, random, log } = this.#options
    const evalsha = purpose === 'replica' && target.cluster !== undefined ? 'evalsha_ro' : 'evalsha'
    const client = dial(this.#ioredis, target, timeoutMs, purpose)
    const commands = this.#commands
    return new RedisClient({ client, commands, server: nameOf(target), timeoutMs, evalsha, now, random, log })
  }
}

/** The first replica that a primary names. */
function replicaOf(target: RedisTarget, replication: Info): RedisTarget | undefined {
  const [, host, port] = /ip=([^,]+),port=(\d+)/.exec(replication.get('slave0') ?? '') ?? []
  if (host === undefined || port === undefined) return undefined
  if (target.url === undefined) return { ...target, host, port: Number(port) }
  const url = new URL(target.url)
  url.hostname = host
  url.port = port
  return { ...target, url: url.href }
}
