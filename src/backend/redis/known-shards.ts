import { isWellFormed, keptHash, type IdCodec } from '../../session/id.js'
import type { IdHash } from '../../session/session.js'
import { BoundedMap } from '../memory/bounded-map.js'
import { shardOfHash, shardOfId } from './keys.js'

const KNOWN_MAX = 20_000

/**
 * Where the keys of ids are. An id says so itself, but reading that costs two HMACs, so those looked at lately are
 * remembered: by hash, like everything about ids.
 */
export class KnownShards {
  readonly #ids: IdCodec
  readonly #shards = new BoundedMap<IdHash, number>(KNOWN_MAX)

  constructor(ids: IdCodec) {
    this.#ids = ids
  }

  of(id: string, hash: IdHash): number {
    const known = this.#shards.get(hash)
    if (known !== undefined) return known
    const parsed = isWellFormed(id) ? this.#ids.parse(id) : undefined
    // An id that somebody else made says nothing of itself.
    if (parsed === undefined) return shardOfHash(hash)
    const shard = shardOfId(parsed)
    this.#shards.set(keptHash(hash), shard)
    return shard
  }
}
