import { isWellFormed, keptHash, type IdCodec } from '../../session/id.js'
import type { IdHash } from '../../session/session.js'
import { shardOfHash, shardOfId } from './keys.js'

const OF_A_GENERATION = 10_000

/**
 * Where the keys of ids are. An id says so itself, but reading that costs two HMACs, so those in use lately are
 * remembered: by hash, like everything about ids, and in two generations, so that what is used stays and the whole is
 * bounded.
 */
export class KnownShards {
  readonly #ids: IdCodec
  #young = new Map<IdHash, number>()
  #old = new Map<IdHash, number>()

  constructor(ids: IdCodec) {
    this.#ids = ids
  }

  of(id: string, hash: IdHash): number {
    const known = this.#young.get(hash)
    if (known !== undefined) return known
    const shard = this.#old.get(hash) ?? this.#said(id)
    // An id that somebody else made says nothing of itself.
    if (shard === undefined) return shardOfHash(hash)
    this.#note(hash, shard)
    return shard
  }

  #said(id: string): number | undefined {
    const parsed = isWellFormed(id) ? this.#ids.parse(id) : undefined
    return parsed === undefined ? undefined : shardOfId(parsed)
  }

  #note(hash: IdHash, shard: number): void {
    if (this.#young.size >= OF_A_GENERATION) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(keptHash(hash), shard)
  }
}
