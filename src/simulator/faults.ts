import { Episodes, type Episode, type FaultHost, type FaultKind } from './episodes.js'
import type { SimulatedNode } from './node.js'
import type { Random } from './random.js'

export interface FaultWeight {
  readonly kind: FaultKind
  readonly weight: number
}

/** Nothing new breaks in one minute and a half of five: some promises are for calm times. */
const TRUCE_EVERY_MS = 300_000
const TRUCE_FROM_MS = 150_000
const TRUCE_MS = 90_000

/** Breaks things at random moments, each kind as often as its weight says, until told to stop. */
export class Faults {
  readonly counts: Partial<Record<FaultKind, number>> = {}
  readonly #host: FaultHost
  readonly #random: Random
  readonly #weights: readonly FaultWeight[]
  readonly #everyMs: number
  readonly #episodes: Episodes
  readonly #active = new Set<Episode>()
  #total = 0
  #stopped = false

  constructor(host: FaultHost, random: Random, weights: readonly FaultWeight[], everyMs: number) {
    this.#host = host
    this.#random = random
    this.#weights = weights
    this.#everyMs = everyMs
    this.#episodes = new Episodes(host, random)
    if (weights.length > 0) this.#planNext()
    if (weights.some(({ kind }) => kind === 'restore')) for (const node of host.nodes) this.#planSnapshot(node)
  }

  get total(): number {
    return this.#total
  }

  /** Ends every fault, and nothing breaks any more. */
  stop(): void {
    this.#stopped = true
    for (const episode of this.#active) this.#end(episode)
  }

  /** One node reaches nobody for a while; false where faults are not wanted now. */
  cutOff(node: SimulatedNode, durationMs: number): boolean {
    if (this.#stopped || this.#weights.length === 0 || isTruce(this.#host.queue.now)) return false
    this.#work('split', this.#episodes.cutOff(node, durationMs))
    return true
  }

  #planNext(): void {
    this.#host.queue.after(this.#random.exponential(this.#everyMs), () => {
      if (this.#stopped) return
      const fault = this.#random.weighted(this.#weights)
      if (fault !== undefined && !isTruce(this.#host.queue.now)) this.#begin(fault.kind)
      this.#planNext()
    })
  }

  #planSnapshot(node: SimulatedNode): void {
    this.#host.queue.after(this.#random.between(5_000, 60_000), () => {
      if (this.#stopped) return
      node.keepSnapshot()
      this.#planSnapshot(node)
    })
  }

  #begin(kind: FaultKind): void {
    const episode = this.#episodes.begin(kind)
    if (episode !== undefined) this.#work(kind, episode)
  }

  #work(kind: FaultKind, episode: Episode): void {
    this.#total++
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
    this.#active.add(episode)
    this.#host.calm.faultBegins()
    this.#host.note(`FAULT ${kind}: ${episode.description}, ${Math.round(episode.durationMs)} ms`)
    this.#host.queue.after(episode.durationMs, () => this.#end(episode))
  }

  #end(episode: Episode): void {
    if (!this.#active.delete(episode)) return
    episode.end()
    this.#host.calm.faultEnds()
  }
}

function isTruce(time: number): boolean {
  const since = (time % TRUCE_EVERY_MS) - TRUCE_FROM_MS
  return since >= 0 && since < TRUCE_MS
}
