import type { SessionRef } from '../../session/session.js'
import type { RedisArgument } from './dial.js'
import { SHARDS, type Keys } from './keys.js'
import type { Script } from './lua/script.js'
import { birthOf, listOf } from './reply-parts.js'
import type { RedisServers } from './servers.js'

export interface EveryShardOptions {
  readonly keys: Keys
  readonly actor: number
}

export const EVERY_SHARD: readonly number[] = Array.from({ length: SHARDS }, (_, shard) => shard)

/**
 * Questions that only all shards together answer. Each of them answers for its sessions, exactly: the index of a shard
 * changes in the same script as a session. One server is asked once for all of them. A cluster allows a script the keys of
 * one slot alone, so there each shard is asked, all in one write per primary.
 */
export class EveryShard {
  readonly #options: EveryShardOptions
  readonly #live: readonly string[]
  /** A proxy in front of a cluster looks like one server. */
  #isSplit = false

  constructor(options: EveryShardOptions) {
    this.#options = options
    this.#live = EVERY_SHARD.map((shard) => options.keys.live(shard))
  }

  /** The births that `script` answers. */
  async ask(servers: RedisServers, script: Script, args: readonly RedisArgument[]): Promise<readonly SessionRef[]> {
    if (servers.isCluster || this.#isSplit) return await this.#askEach(servers, script, args)
    try {
      return birthsIn(await servers.primary.runOver(script, this.#live, [...this.#head(0), ...args]))
    } catch (error) {
      if (!isAboutSlots(error)) throw error
      this.#isSplit = true
      return await this.#askEach(servers, script, args)
    }
  }

  async #askEach(servers: RedisServers, script: Script, args: readonly RedisArgument[]): Promise<readonly SessionRef[]> {
    const ask = async (key: string, shard: number): Promise<unknown> => {
      return await servers.primary.run(script, key, [...this.#head(shard), ...args])
    }
    const replies = await Promise.all(this.#live.map(ask))
    return replies.flatMap(birthsIn)
  }

  /** What every script is told first. */
  #head(shard: number): readonly RedisArgument[] {
    return [this.#options.keys.namespace, shard, this.#options.actor]
  }
}

function birthsIn(reply: unknown): readonly SessionRef[] {
  return listOf(reply).map(birthOf)
}

/** It was refused before it began. */
function isAboutSlots(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && error.cause.message.startsWith('CROSSSLOT')
}
