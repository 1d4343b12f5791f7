import { BackendError } from '../../errors.js'
import type { IdHash, SessionRef } from '../../session/session.js'
import type { PortableSession } from '../backend.js'
import { portableArguments } from './arguments.js'
import type { RedisArgument } from './dial.js'
import type { RedisClient } from './client.js'
import { birthText, MAX_IDLE, parseBirth, SHARDS, shardOf, shardOfHash, type Keys } from './keys.js'
import { heldOf, importedRegister, NOTHING, registersIn, type Held } from './merging.js'
import { EXPORT, HELD } from './lua/reads.js'
import { ALIAS, IMPORT } from './lua/upkeep.js'
import { aliasMs } from './reader.js'
import { portableOf } from './reply.js'
import { birthOf, listOf, textOf } from './reply-parts.js'

export interface TransferOptions {
  readonly client: RedisClient
  readonly keys: Keys
  readonly actor: number
  readonly json: boolean
}

export interface Imported {
  readonly outcome: 'imported' | 'known' | 'dead'
  /** The session was not here before. */
  readonly isNew: boolean
}

const BATCH = 100
/** How scripts say so. */
const YES = '1'
/** Imports of a session that is being written. */
const ATTEMPTS_MAX = 100

/** Sessions on their way to and from other backends. */
export class SessionTransfer {
  readonly #options: TransferOptions

  constructor(options: TransferOptions) {
    this.#options = options
  }

  /** Shard by shard, births in order. `cursor`: the birth that was exported last. */
  async *exportAll(cursor?: string): AsyncGenerator<PortableSession> {
    const after = cursor === undefined ? undefined : parseBirth(cursor)
    const first = after === undefined ? 0 : shardOf(after)
    for (let shard = first; shard < SHARDS; shard++) {
      const all = await this.#births(shard)
      const births = after !== undefined && shard === first ? all.filter((birth) => inOrder(birth, after) > 0) : all
      for (let at = 0; at < births.length; at += BATCH) {
        const batch = births.slice(at, at + BATCH)
        for (const session of await Promise.all(batch.map((birth) => this.exportOne(birth)))) {
          if (session !== undefined) yield session
        }
      }
    }
  }

  async exportOne(birth: SessionRef): Promise<PortableSession | undefined> {
    const { client, keys } = this.#options
    return portableOf(birth, await client.run(EXPORT, keys.births(birth), this.#head(shardOf(birth))))
  }

  async importOne(session: PortableSession): Promise<Imported> {
    const [outcome, isNew, leads] = await this.#merged(session)
    if (leads === YES) await this.#leadOn(session)
    return { outcome: outcome === 'imported' || outcome === 'known' ? outcome : 'dead', isNew: isNew === YES }
  }

  /** What the script answers, once nobody else wrote what it merges into. */
  async #merged(session: PortableSession): Promise<readonly string[]> {
    const { client, keys } = this.#options
    const { birth, registers } = session
    let held = registers.some(({ merged }) => merged !== undefined) ? await this.#held(session) : undefined
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const args = [...this.#head(shardOf(birth)), ...this.#imported(session, held)]
      const answer = listOf(await client.run(IMPORT, keys.births(birth), args)).map(textOf)
      if (answer[0] !== 'conflict') return answer
      held = await this.#held(session)
    }
    throw new BackendError('a session changes too often to be imported')
  }

  #imported(session: PortableSession, held: Held | undefined): readonly RedisArgument[] {
    const registers = session.registers.map((one) => importedRegister(one, held ?? NOTHING, this.#options.json)).flat()
    return [...portableArguments(session, held !== undefined), registersIn(registers), ...registers]
  }

  async #held({ birth, registers }: PortableSession): Promise<Held> {
    const { client, keys } = this.#options
    const names = registers.filter(({ merged }) => merged !== undefined).map(({ name }) => name)
    return heldOf(await client.run(HELD, keys.births(birth), [...this.#head(shardOf(birth)), ...names])) ?? NOTHING
  }

  /** Ids whose keys will be looked for elsewhere than at the session: added later, one of several, made by others. */
  async #leadOn({ birth, ids, registers }: PortableSession): Promise<void> {
    const { client, keys } = this.#options
    const idle = registers.find(({ name }) => name === MAX_IDLE)?.value
    const ttl = aliasMs(typeof idle === 'number' ? idle : Infinity)
    for (const { hash, dot } of ids) {
      for (const shard of new Set([shardOf(dot), shardOf(birth), shardOfHash(hash as IdHash)])) {
        if (ids.length === 1 && shard === shardOf(birth)) continue
        await client.run(ALIAS, keys.session(shard, hash as IdHash), [...this.#head(shard), birthText(birth), ttl])
      }
    }
  }

  async #births(shard: number): Promise<readonly SessionRef[]> {
    const births = new Map<string, SessionRef>()
    let cursor = '0'
    do {
      const reply = await this.#options.client.command('zscan', [this.#options.keys.live(shard), cursor, 'COUNT', 1_000])
      const [next, entries] = listOf(reply)
      cursor = textOf(next)
      // Members and scores in turn.
      for (const entry of listOf(entries).filter((_, i) => i % 2 === 0)) births.set(textOf(entry), birthOf(entry))
    } while (cursor !== '0')
    return [...births.values()].sort(inOrder)
  }

  #head(shard: number): readonly (string | number)[] {
    return [this.#options.keys.namespace, shard, this.#options.actor]
  }
}

function inOrder(a: SessionRef, b: SessionRef): number {
  return a.actor - b.actor || a.counter - b.counter
}
