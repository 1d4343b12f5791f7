import type { SessionRef } from '../../session/session.js'
import type { Acks, Committed, CommitOptions, SeenTokens } from '../backend.js'
import type { SeenSealer } from '../replicated/seen.js'
import type { RedisArgument } from './dial.js'
import { birthText, shardOf, type Keys } from './keys.js'
import type { Script } from './lua/script.js'
import { birthOf, listOf, numberOf, textOf } from './reply.js'
import type { RedisServers } from './servers.js'

export interface CommitsOptions {
  readonly keys: Keys
  readonly actor: number
  /** undefined: no tokens are made. */
  readonly seals: SeenSealer | undefined
}

/** What a commit came to; `holder`: the session that has the id which was asked for. */
export interface Outcome extends Committed {
  readonly holder?: SessionRef
}

const CONFIRM_WITHIN_MS = 250

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
    { acks = 'async', withinMs = CONFIRM_WITHIN_MS, seen }: CommitOptions,
  ): Promise<Outcome> {
    const { keys, actor } = this.#options
    const shard = shardOf(ref)
    const all = [keys.namespace, shard, actor, birthText(ref), ...args]
    const [state, detail] = listOf(await servers.primary.run(script, keys.births(ref), all))
    if (textOf(state) === 'gone') {
      return detail === undefined ? { outcome: 'gone' } : { outcome: 'gone', holder: birthOf(detail) }
    }
    const wanted = confirmationsFor(acks, servers.replicas)
    const mark = keys.mark(servers.isCluster ? shard : 0)
    const isConfirmed = wanted === 0 || (await servers.confirmed(mark, wanted, withinMs))
    if (!isConfirmed) this.#unknown++
    const outcome = isConfirmed ? 'done' : 'unknown'
    const raised = detail === undefined ? undefined : this.sealed(ref, numberOf(detail), seen)
    return raised === undefined ? { outcome } : { outcome, seen: raised }
  }

  /** A stamp whose one event is the session's how-manieth commit. */
  sealed(birth: SessionRef, version: number, seen: SeenTokens | undefined): SeenTokens | undefined {
    const { seals } = this.#options
    const stamp = { highest: version, touchedAt: 0, dots: [{ actor: birth.actor, counter: version }] }
    return seals?.seal(stamp, seals.open(seen, birth), birth, false)
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
