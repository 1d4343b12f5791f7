import type { Commit, CommitWrites, Concern } from '../replica/events.js'
import { Reserved } from '../replica/events.js'
import type { IdHash } from '../session/session.js'
import { Exchange, type Ask, type ExchangeHost, type Intent } from './exchange.js'
import type { Faults } from './faults.js'
import type { SimulatedNode } from './node.js'
import type { Oracle } from './oracle.js'
import type { Random } from './random.js'
import { NOTHING_SEEN } from './seen.js'

/** What twins need of the world around them. */
export interface TwinHost extends ExchangeHost {
  readonly nodes: readonly SimulatedNode[]
  readonly faults: Pick<Faults, 'cutOff'>
  readonly oracle: Oracle
  /** Whether people have gone home. */
  readonly isQuiet: boolean
}

const EVERY_MS = 24_000
/** Less than a message takes, milliseconds. */
const AT_ONCE_MS = 4
/** How long one of the two nodes reaches nobody, and how long the id is used, milliseconds. */
const APART_MS = [500, 25_000] as const
const USED_FOR_MS = 40_000
const USES_MAX = 10
const ATTRIBUTE = 'cart'
const PRINCIPAL = 'twin'
const CONCERNS: readonly Concern[] = ['async', 'one', 'quorum', 'all']

/**
 * Sessions that two or three nodes make under one id which none of them made, before they hear of each other; then
 * requests bring that id to any node, and log out, and have it made again.
 */
export class Twins {
  readonly #host: TwinHost
  readonly #random: Random

  constructor(host: TwinHost, random: Random) {
    this.#host = host
    this.#random = random
    this.#planNext()
  }

  #planNext(): void {
    this.#host.queue.after(this.#random.exponential(EVERY_MS), () => {
      if (this.#host.isQuiet) return
      this.#begin()
      this.#planNext()
    })
  }

  #begin(): void {
    const random = this.#random
    const { nodes, queue, faults } = this.#host
    const id = this.#host.newId()
    const first = random.pick(nodes)
    let withinMs = AT_ONCE_MS
    if (random.chance(0.5)) {
      const apartMs = random.between(...APART_MS)
      if (faults.cutOff(first, apartMs)) withinMs = apartMs
    }
    this.#make(id, first)
    const others = nodes.filter((node) => node !== first)
    const twins = random.chance(0.8) ? [random.pick(others)] : [random.pick(others), random.pick(others)]
    for (const node of twins) queue.after(random.between(0, withinMs), () => this.#make(id, node))
    for (let uses = random.integer(1, USES_MAX); uses > 0; uses--) {
      queue.after(random.between(0, USED_FOR_MS), () => this.#use(id))
    }
  }

  /** As a backend does: who holds the id is not doubled, unless it is logged out. */
  #make(id: IdHash, node: SimulatedNode): void {
    const random = this.#random
    const { lifetimes, isQuiet } = this.#host
    const value = this.#host.newValue()
    const isNamed = random.chance(0.3)
    if (isQuiet || node.isPaused || node.process?.replica.roster.isReady !== true) return
    const { state } = node.process.replica
    const holder = state.byId(id)
    if (holder !== undefined && !state.isRevoked(holder)) return
    const writes: CommitWrites[number][] = [{ name: ATTRIBUTE, kind: 0, value }]
    if (isNamed) writes.push({ name: Reserved.principal, kind: 0, value: PRINCIPAL })
    const commit: Commit = { type: 'create', id, base: { createdAt: node.now, ...lifetimes }, writes }
    node.receive({ type: 'commit', request: 0, commit, concern: 'async', deadline: node.now })
  }

  #use(id: IdHash): void {
    const random = this.#random
    const { nodes, isQuiet } = this.#host
    const node = random.pick(nodes)
    const type = random.weighted(USES)?.type ?? 'read'
    const concern = random.pick(CONCERNS)
    if (isQuiet || node.process === undefined) return
    if (type === 'make') return this.#make(id, node)
    const birth = node.process.replica.state.byId(id)?.birth ?? this.#host.oracle.ids.get(id)
    if (birth === undefined) return
    const intent: Intent = { type, attributes: [ATTRIBUTE], principal: PRINCIPAL }
    const ask: Ask = {
      browser: PRINCIPAL,
      isParallel: true,
      intent,
      id: { hash: id, origin: null, birth },
      stamp: undefined,
      seen: NOTHING_SEEN,
      ideal: NOTHING_SEEN,
      concern,
    }
    void new Exchange(ask, node, node.process, this.#host, () => {})
  }
}

const USES = [
  { type: 'read', weight: 0.35 },
  { type: 'write', weight: 0.35 },
  { type: 'log-out', weight: 0.12 },
  { type: 'make', weight: 0.12 },
  { type: 'log-in', weight: 0.03 },
  { type: 'log-out-everywhere', weight: 0.03 },
] as const
