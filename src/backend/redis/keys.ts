import type { ParsedId } from '../../session/id.js'
import { actorTag, type IdHash, type SessionRef } from '../../session/session.js'

/**
 * Sessions are spread over so many hash tags. All keys of one session share a tag, so that every commit is one script in
 * one slot. It is part of the key names: changing it loses sight of all sessions. Enough to fill a dozen primaries
 * evenly; few enough that `find` and `revoke`, which ask every shard, stay cheap.
 */
export const SHARDS = 64

/** Ids made by this backend carry their shard, marked; ids made by another backend carry none. */
const SHARD_MARK = 0x100

/** Registers beside the attributes, under names that no attribute can have: the same in every backend's export. */
export const PRINCIPAL = '\u0000principal'
export const MAX_IDLE = '\u0000maxIdleMs'

/** The shard of a session, known from its birth alone: a request that has loaded it needs no look-up to save it. */
export function shardOf({ actor, counter }: SessionRef): number {
  return (actorTag(actor) + counter) % SHARDS
}

/** What an id made here says of the shard. A rotation keeps it: it is the birth's. */
export function shardField(ref: SessionRef): number {
  return SHARD_MARK + shardOf(ref)
}

/**
 * Where the key of an id is. An id made elsewhere names the event that added it: for a first id that is the birth; for
 * a later one there is a key that leads on (lua/upkeep.ts, ALIAS).
 */
export function shardOfId({ shard, actorTag: actor, counter }: ParsedId): number {
  return shard >= SHARD_MARK ? (shard - SHARD_MARK) % SHARDS : shardOf({ actor, counter })
}

/** The shard of a session that was made with somebody else's id, which says nothing of itself. */
export function shardOfHash(hash: IdHash): number {
  return Buffer.from(hash.slice(0, 4), 'base64url').readUInt16BE(0) % SHARDS
}

/** `actor:counter`, as keys and scripts name a birth. */
export function birthText({ actor, counter }: SessionRef): string {
  return `${actor}:${counter}`
}

/** The birth that a text names; undefined where it names none. */
export function parseBirth(text: string): SessionRef | undefined {
  const [, actor = '', counter = ''] = /^(\d{1,16}):(\d{1,15})$/.exec(text) ?? []
  return actor === '' ? undefined : { actor: Number(actor), counter: Number(counter) }
}

/** Names of keys and channels. */
export class Keys {
  readonly namespace: string

  constructor(namespace: string) {
    this.namespace = namespace
  }

  session(shard: number, hash: IdHash): string {
    return `${this.namespace}:sessions:{${shard}}:${hash}`
  }

  births(ref: SessionRef): string {
    return `${this.namespace}:births:{${shardOf(ref)}}:${birthText(ref)}`
  }

  live(shard: number): string {
    return `${this.namespace}:live:{${shard}}`
  }

  /** What is written to see how far replicas are: one per primary, in a Cluster one per shard. */
  mark(shard: number): string {
    return `${this.namespace}:mark:{${shard}}`
  }

  get events(): string {
    return `${this.namespace}:events`
  }
}
