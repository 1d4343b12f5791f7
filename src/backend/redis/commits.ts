import { BackendError } from '../../errors.js'
import type { IdHash, SessionDelta, SessionRef } from '../../session/session.js'
import type { Acks, Committed, CommitOptions } from '../backend.js'
import type { CountedStamps } from '../counted-stamps.js'
import { dotArgument } from './arguments.js'
import type { RedisArgument } from './dial.js'
import { birthText, shardOf, type Keys } from './keys.js'
import { COMMIT } from './lua/changes.js'
import { HELD } from './lua/reads.js'
import type { Script } from './lua/script.js'
import { heldOf, mergedDelta, mergingNames, NOTHING, plainMark } from './merging.js'
import { birthOf, listOf, numberOf, textOf } from './reply-parts.js'
import type { RedisServers } from './servers.js'

export interface CommitsOptions {
  readonly keys: Keys
  readonly actor: number
  readonly json: boolean
  /** undefined: no tokens are made. */
  readonly stamps: CountedStamps | undefined
}

/** What a commit came to; `holder`: the session that has the id which was asked for. */
export interface Outcome extends Committed {
  readonly holder?: SessionRef
  /** Nothing was written: what the delta was computed from has changed. */
  readonly hasConflict?: true
}

/** One save, or rotation where there is a new id. */
export interface Change {
  readonly ref: SessionRef
  readonly newId?: IdHash
  readonly delta: SessionDelta
}

const CONFIRM_WITHIN_MS = 250
/** Of so many nodes at once, one gets through each time. */
const ATTEMPTS_MAX = 200

/** Commits of one node: which event each is, the script that does it, how many replicas have it, what was seen by it. */
export class Commits {
  readonly #options: CommitsOptions
  #counter = 0
  #unknown = 0

  constructor(options: CommitsOptions) {
    this.#options = options
  }

  /** Commits that replicas did not confirm in time. */
  get unknown(): number {
    return this.#unknown
  }

  nextDot(): SessionRef {
    return { actor: this.#options.actor, counter: ++this.#counter }
  }

  /** A birth that lies in a given shard: counters in between are left out. */
  nextDotIn(shard: number): SessionRef {
    let dot = this.nextDot()
    while (shardOf(dot) !== shard) dot = this.nextDot()
    return dot
  }

  async run(
    servers: RedisServers,
    script: Script,
    ref: SessionRef,
    args: readonly RedisArgument[],
    options: CommitOptions,
  ): Promise<Outcome> {
    const { keys, actor } = this.#options
    const shard = shardOf(ref)
    const all = [keys.namespace, shard, actor, birthText(ref), ...args]
    const [state, detail] = listOf(await servers.primary.run(script, keys.births(ref), all))
    if (textOf(state) === 'conflict') return { outcome: 'gone', hasConflict: true }
    if (textOf(state) === 'gone') {
      return detail === undefined ? { outcome: 'gone' } : { outcome: 'gone', holder: birthOf(detail) }
    }
    const isWaiting = options.acks !== undefined && options.acks !== 'async'
    const outcome = isWaiting ? await this.confirmed(servers, [shard], options) : 'done'
    const raised = detail === undefined ? undefined : this.#options.stamps?.sealed(ref, numberOf(detail), options.seen)
    return raised === undefined ? { outcome } : { outcome, seen: raised }
  }

  /** Whether as many replicas as asked for have what was done in these shards. */
  async confirmed(
    servers: RedisServers,
    shards: readonly number[],
    { acks = 'async', withinMs = CONFIRM_WITHIN_MS }: CommitOptions,
  ): Promise<'done' | 'unknown'> {
    const wanted = confirmationsFor(acks, servers.replicas)
    if (wanted === 0) return 'done'
    const marks = new Set(shards.map((shard) => this.#options.keys.mark(servers.isCluster ? shard : 0)))
    const waits = Array.from(marks, async (mark) => await servers.confirmed(mark, wanted, withinMs))
    if ((await Promise.all(waits)).every(Boolean)) return 'done'
    this.#unknown++
    return 'unknown'
  }

  /** Merges a delta; again where an attribute that merges was written meanwhile, or another commit of ours came first. */
  async change(servers: RedisServers, change: Change, options: CommitOptions): Promise<Outcome> {
    const { ref, newId = '', delta } = change
    const { keys, actor, json } = this.#options
    const names = mergingNames(delta)
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const head = [keys.namespace, shardOf(ref), actor, ...names]
      const held = names.length === 0 ? NOTHING : heldOf(await servers.primary.run(HELD, keys.births(ref), head))
      if (held === undefined) return { outcome: 'gone' }
      // Drawn after the look, so that it is later than what was seen of this node.
      const dot = this.nextDot()
      const registers = mergedDelta(delta, held, dot, json)
      const args = [dotArgument(dot), newId, newId === '' ? plainMark(delta) : '', ...registers]
      const outcome = await this.run(servers, COMMIT, ref, args, options)
      if (outcome.hasConflict !== true) return outcome
    }
    throw new BackendError('the session is written too often at once')
  }
}

/** How many replicas a commit waits for; the primary itself counts towards a quorum. */
function confirmationsFor(acks: Acks, replicas: number): number {
  switch (acks) {
    case 'async':
      return 0
    case 'one':
      return 1
    case 'quorum':
      return Math.floor((replicas + 1) / 2)
    case 'all':
      return replicas
  }
}
