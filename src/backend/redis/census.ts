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

/** Births that are over, taken off the lists of a shard by one script, and how many such scripts a count runs on it. */
const OVER_MAX = 100
const SWEEPS_MAX = 5
/** Shards looked at together: all of them would be one pause for everybody else. */
const AT_ONCE = 4
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
    const total = { sessions: 0, bytes: 0 }
    let next = 0
    const work = async (): Promise<void> => {
      while (next < SHARDS) {
        const { sessions, bytes } = await this.#countShard(next++)
        total.sessions += sessions
        total.bytes += bytes
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    this.#counted = { sessions: total.sessions, bytes: Math.round(total.bytes) }
    this.#since -= before
  }

  async #countShard(shard: number): Promise<{ readonly sessions: number; readonly bytes: number }> {
    const { client, keys, actor, expired } = this.#options
    for (let sweeps = 1; ; sweeps++) {
      const args = [keys.namespace, shard, actor, OVER_MAX, SAMPLE]
      const [live, sampled, bytes, reply] = listOf(await client.run(SWEEP, keys.live(shard), args))
      const over = listOf(reply)
      for (const birth of over) expired(birthOf(birth))
      if (over.length === OVER_MAX && sweeps < SWEEPS_MAX) continue
      const sessions = numberOf(live)
      const share = numberOf(sampled)
      return { sessions, bytes: share === 0 ? 0 : (numberOf(bytes) / share) * sessions }
    }
  }
}
