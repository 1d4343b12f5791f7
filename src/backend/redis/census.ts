import type { SessionRef } from '../../session/session.js'
import type { RedisClient } from './client.js'
import { SHARDS, type Keys } from './keys.js'
import { SWEEP } from './lua/upkeep.js'
import { birthOf, listOf, numberOf } from './reply-parts.js'

export interface CensusOptions {
  readonly client: RedisClient
  readonly keys: Keys
  readonly actor: number
  /** Milliseconds between two counts. */
  readonly everyMs: number
  readonly random: () => number
  /** After each count on the timer. */
  readonly counted: () => Promise<unknown>
  /** A session that was over is off the lists; this node found it first. */
  readonly expired: (ref: SessionRef) => void
}

/** Births that are over, taken off the lists of one shard at a time. */
const OVER_MAX = 500
/** Sessions per shard whose bytes are looked at. */
const SAMPLE = 8

/**
 * How many sessions there are: counted now and then on the server, kept current in between with what this node makes
 * and ends. Bytes are estimated from a sample. Counting a shard also takes sessions off its lists that Redis has let
 * expire; every node does so, the first one tells.
 */
export class Census {
  readonly #options: CensusOptions
  #counted = { sessions: 0, bytes: 0 }
  #since = 0
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(options: CensusOptions) {
    this.#options = options
  }

  get size(): { readonly sessions: number; readonly bytes: number } {
    const { sessions, bytes } = this.#counted
    return { sessions: Math.max(0, sessions + this.#since), bytes }
  }

  /** This node made (1) or ended (-1) a session. */
  note(change: number): void {
    this.#since += change
  }

  start(): void {
    const { everyMs, random, counted } = this.#options
    const countAll = (): Promise<unknown> => this.count().then(counted)
    const again = (): void => {
      if (this.#isStopped) return
      this.#timer = setTimeout(() => void countAll().catch(() => {}).finally(again), everyMs * (0.75 + random() / 2))
      this.#timer.unref()
    }
    again()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async count(): Promise<void> {
    const before = this.#since
    const shards = await Promise.all(Array.from({ length: SHARDS }, (_, shard) => this.#countShard(shard)))
    this.#counted = {
      sessions: shards.reduce((sum, { sessions }) => sum + sessions, 0),
      bytes: Math.round(shards.reduce((sum, { bytes }) => sum + bytes, 0)),
    }
    this.#since -= before
  }

  async #countShard(shard: number): Promise<{ readonly sessions: number; readonly bytes: number }> {
    const { client, keys, actor, expired } = this.#options
    const args = [keys.namespace, shard, actor, OVER_MAX, SAMPLE]
    const [live, sampled, bytes, over] = listOf(await client.run(SWEEP, keys.live(shard), args))
    for (const birth of listOf(over)) expired(birthOf(birth))
    const sessions = numberOf(live)
    const share = numberOf(sampled)
    return { sessions, bytes: share === 0 ? 0 : (numberOf(bytes) / share) * sessions }
  }
}
