import { isExpired, type IdHash, type SessionRef } from '../../session/session.js'
import type { LoadResult, SeenTokens } from '../backend.js'
import type { CountedStamps } from '../counted-stamps.js'
import type { RedisClient } from './client.js'
import { birthText, shardOf, type Keys } from './keys.js'
import { LOAD, READ } from './lua/reads.js'
import { ALIAS } from './lua/upkeep.js'
import { plainlyViewed, viewedOf, type Found, type Viewed } from './reply.js'
import type { RedisServers } from './servers.js'

export interface ReaderOptions {
  readonly servers: RedisServers
  readonly keys: Keys
  readonly actor: number
  readonly stamps: CountedStamps
  readonly timeoutMs: number
  readonly now: () => number
}

export type Answer = { readonly state: 'found'; readonly found: Found } | Extract<LoadResult, { state: 'none' }>

type Alias = Extract<Viewed, { state: 'alias' }>

/** Clocks that differ by less are the same. */
const SKEW_MIN_MS = 1_000
/** The least that an id made elsewhere is kept leading to its session. */
const ALIAS_MS = 24 * 3_600_000
const ALIAS_MAX_MS = 400 * ALIAS_MS

/** How long an alias stays without being used: longer than the session may be idle. */
export function aliasMs(maxIdleMs: number): number {
  return Math.min(Math.max(2 * maxIdleMs, ALIAS_MS), ALIAS_MAX_MS)
}

/** Finds sessions: one command, one round trip, from the primary or from a replica that is not behind. */
export class SessionReader {
  readonly #options: ReaderOptions
  readonly counts = { fromReplica: 0, replicaBehind: 0 }

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  /** `shard`: where the key of the id is. */
  async byId(shard: number, hash: IdHash, seen?: SeenTokens, deadline: number = Infinity): Promise<Answer> {
    const { keys, servers } = this.#options
    const key = keys.session(shard, hash)
    const withinMs = this.#left(deadline)
    const load = (client: RedisClient): Promise<Viewed> => this.#view(client, shard, key, withinMs)

    const near = servers.replica === undefined ? undefined : await this.#fromReplica(servers.replica, load, seen)
    const viewed = near ?? (await load(servers.primary))
    return viewed.state === 'alias' ? await this.#ledOn(viewed, shard, hash, deadline) : this.#answer(viewed)
  }

  /** The session of a birth; with `hash`, only where that is still one of its ids. */
  async byRef(ref: SessionRef, hash?: IdHash, deadline: number = Infinity): Promise<Answer> {
    const { keys, servers } = this.#options
    const args = [...this.#head(shardOf(ref)), hash ?? '']
    const reply = await servers.primary.run(READ, keys.births(ref), args, this.#left(deadline))
    return this.#answer(stillThere(viewedOf(reply)))
  }

  /** Where the key alone says everything, it is asked alone. */
  #view(client: RedisClient, shard: number, key: string, withinMs: number): Promise<Viewed> {
    const { servers, now } = this.#options
    const { skewMs } = servers.plainReads
    const byScript = async (): Promise<Viewed> => {
      return stillThere(viewedOf(await client.run(LOAD, key, this.#head(shard), withinMs)))
    }
    if (skewMs === undefined) return byScript()
    return client.hash(key, withinMs).then((reply) => plainlyViewed(reply, now() - skewMs) ?? byScript())
  }

  /** From the key of an id that was made elsewhere to its session. */
  async #ledOn({ birth, leftMs }: Alias, shard: number, hash: IdHash, deadline: number): Promise<Answer> {
    const answer = await this.byRef(birth, hash, deadline)
    if (answer.state === 'found') {
      const key = this.#options.keys.session(shard, hash)
      this.#renew(key, shard, birth, leftMs, aliasMs(answer.found.record.maxIdleMs))
    }
    return answer
  }

  /**
   * What a replica holds, where that is at least what the browser has seen. A session that is not there may only be
   * on its way, so none is never a replica's answer.
   */
  async #fromReplica(
    replica: RedisClient,
    load: (client: RedisClient) => Promise<Viewed>,
    seen: SeenTokens | undefined,
  ): Promise<Viewed | undefined> {
    const { stamps } = this.#options
    try {
      const viewed = await load(replica)
      const isCurrent = viewed.state === 'found' && viewed.found.version >= stamps.commitsIn(seen, viewed.found.birth)
      this.counts[isCurrent ? 'fromReplica' : 'replicaBehind']++
      return isCurrent ? viewed : undefined
    } catch {
      return undefined
    }
  }

  #answer(viewed: Viewed): Answer {
    if (viewed.state === 'alias') return { state: 'none', why: 'unknown' }
    if (viewed.state === 'none') return viewed
    const { found, now } = viewed
    return { state: 'found', found: this.#inOurTime(found, this.#options.now() - now) }
  }

  /** A node whose clock is off reads times as its own clock would have shown them. */
  #inOurTime(found: Found, skewMs: number): Found {
    if (Math.abs(skewMs) < SKEW_MIN_MS) return found
    const { record } = found
    const createdAt = record.createdAt + skewMs
    return { ...found, record: { ...record, createdAt, lastAccessedAt: record.lastAccessedAt + skewMs } }
  }

  #renew(key: string, shard: number, birth: SessionRef, leftMs: number, wantedMs: number): void {
    if (leftMs > wantedMs / 2) return
    const args = [...this.#head(shard), birthText(birth), wantedMs]
    this.#options.servers.primary.run(ALIAS, key, args).catch(() => {})
  }

  #head(shard: number): readonly (string | number)[] {
    return [this.#options.keys.namespace, shard, this.#options.actor]
  }

  #left(deadline: number): number {
    return Math.min(this.#options.timeoutMs, Math.max(1, deadline - this.#options.now()))
  }
}

/** Redis lets sessions go by its own clock, and so does this check. */
function stillThere(viewed: Viewed): Viewed {
  const isOver = viewed.state === 'found' && isExpired(viewed.found.record, viewed.now)
  return isOver ? { state: 'none', why: 'unknown' } : viewed
}
