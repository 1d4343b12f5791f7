import type { Log } from '../../log.js'
import type { RedisClient } from './client.js'
import { infosOf } from './info.js'
import { listOf, numberOf, textOf } from './reply-parts.js'

export interface PlainReadsOptions {
  readonly client: RedisClient
  /** What people call the server. */
  readonly server: string
  readonly now: () => number
  readonly log: Log
}

interface Seen {
  /** Of the connection that it was seen on. */
  readonly generation: number
  /** How far our clock is ahead of that of Redis. */
  readonly skewMs: number
}

/** The clocks of a Cluster's primaries differ by less. */
const SPREAD_MAX_MS = 500

/**
 * Whether the key of a session says all of it, so that one HGETALL is enough and no script has to look. The keys of a
 * session expire together, and scripts end them together; only eviction takes one and leaves another. So a server that
 * may evict, has done so, or does not tell, is asked by script. What else a script would tell, the time, is known well
 * enough from the last look: at the start and with every count. A new connection is not trusted before the next one.
 */
export class PlainReads {
  readonly #options: PlainReadsOptions
  #seen: Seen | undefined
  readonly #warnedOf = new Set<string>()

  constructor(options: PlainReadsOptions) {
    this.#options = options
  }

  /** How far our clock is ahead where plain reads will do; undefined where a script has to look. */
  get skewMs(): number | undefined {
    return this.#seen?.generation === this.#options.client.generation ? this.#seen.skewMs : undefined
  }

  async look(): Promise<void> {
    const { client } = this.#options
    const { generation } = client
    const keepsAll = (await this.#evictsNothing()) && (await this.#hasEvictedNothing())
    const skewMs = keepsAll ? await this.#skewMs() : undefined
    this.#seen = skewMs === undefined ? undefined : { generation, skewMs }
  }

  async #evictsNothing(): Promise<boolean> {
    const { client, server, log } = this.#options
    const policies = (await infosOf(client, 'memory', log)).map((memory) => memory.get('maxmemory_policy'))
    for (const policy of policies) {
      if (policy === undefined || policy === 'noeviction' || this.#warnedOf.has(policy)) continue
      this.#warnedOf.add(policy)
      const detail = `under memory pressure it drops sessions, logged-in ones too; set maxmemory-policy noeviction`
      log('warn', 'redis-may-evict', { server, policy, detail })
    }
    return policies.every((policy) => policy === 'noeviction')
  }

  async #hasEvictedNothing(): Promise<boolean> {
    const { client, log } = this.#options
    const counts = (await infosOf(client, 'stats', log)).map((stats) => stats.get('evicted_keys'))
    return counts.every((evicted) => evicted === '0')
  }

  async #skewMs(): Promise<number | undefined> {
    const { client, now } = this.#options
    const from = now()
    const times = await client.everywhere('time', []).catch(() => [])
    const halfway = (from + now()) / 2
    const skews = times.map((time) => halfway - millisecondsOf(time))
    const [least, greatest] = [Math.min(...skews), Math.max(...skews)]
    return greatest - least < SPREAD_MAX_MS ? (least + greatest) / 2 : undefined
  }
}

function millisecondsOf(time: unknown): number {
  const [seconds, microseconds] = listOf(time)
  return numberOf(textOf(seconds)) * 1_000 + numberOf(textOf(microseconds)) / 1_000
}
