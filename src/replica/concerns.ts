import { elapsedMs } from './elapsed.js'
import type { Concern, Output, Stamp } from './events.js'
import type { Roster } from './roster.js'

interface Wait {
  readonly request: number
  /** Our own event that waits for confirmation. */
  readonly counter: number
  readonly concern: Concern
  readonly deadline: number
  readonly since: number
  /** What the browser has seen once this is confirmed; asked for once, when it is or no longer waited for. */
  readonly stamp: () => Stamp | undefined
}

/** Commits waiting at once; beyond it a commit is answered `unknown` at once instead of being queued. */
const WAITS_MAX = 20_000

/**
 * Write concern: a commit that asked for confirmations is answered when enough peers have it, or as `unknown` at its
 * deadline. It is applied either way and never rolled back.
 */
export class Concerns {
  readonly #roster: Roster
  readonly #emit: (output: Output) => void
  readonly #waits = new Map<number, Wait>()

  constructor(roster: Roster, emit: (output: Output) => void) {
    this.#roster = roster
    this.#emit = emit
  }

  get size(): number {
    return this.#waits.size
  }

  /** Answers when `concern` is met; at once when it already is. */
  wait(asked: Omit<Wait, 'since'>, now: number): void {
    const wait = { ...asked, since: now }
    if (this.#isMet(wait, now)) this.#answer(wait, 'done')
    else if (this.#waits.size >= WAITS_MAX || now >= wait.deadline) this.#answer(wait, 'unknown')
    else this.#waits.set(wait.request, wait)
  }

  /** Looks again: an acknowledgement came, a link went, time passed. */
  settle(now: number): void {
    for (const wait of this.#waits.values()) {
      if (this.#isMet(wait, now)) this.#answer(wait, 'done')
      else if (now >= wait.deadline || elapsedMs(wait.since, now) === Infinity) this.#answer(wait, 'unknown')
    }
  }

  #answer(wait: Wait, outcome: 'done' | 'unknown'): void {
    this.#waits.delete(wait.request)
    this.#emit({ type: 'committed', request: wait.request, outcome, stamp: wait.stamp() })
  }

  #isMet({ concern, counter }: Wait, now: number): boolean {
    if (concern === 'async') return true
    const self = this.#roster.options.self.actor
    const reachable = this.#roster.reachable(now)
    if (concern === 'all') return reachable.every((peer) => peer.row.hasUpTo(self, counter))
    const confirmed = reachable.filter((peer) => peer.row.hasUpTo(self, counter)).length
    if (concern === 'one') return confirmed >= 1
    return confirmed + 1 > this.#roster.size / 2
  }
}
