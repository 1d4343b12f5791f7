import type { Commits } from './commits.js'
import type { LinkId, Output } from './events.js'
import type { Outbox } from './outbox.js'
import type { Peer } from './peer.js'
import type { Roster } from './roster.js'

/** Leaving in good order: peers confirm that they have all of this node's events, or time is up; then it says so. */
export class Departure {
  readonly #roster: Roster
  readonly #commits: Commits
  readonly #outbox: Outbox
  readonly #emit: (output: Output) => void
  #deadline: number | undefined = undefined

  constructor(roster: Roster, commits: Commits, outbox: Outbox, emit: (output: Output) => void) {
    this.#roster = roster
    this.#commits = commits
    this.#outbox = outbox
    this.#emit = emit
  }

  get isUnderWay(): boolean {
    return this.#deadline !== undefined
  }

  begin(deadline: number): void {
    this.#deadline = deadline
  }

  /** Peers confirm what they are asked to: the last event again, which stands for all before it. */
  askForConfirmation(): void {
    const last = this.#outbox.last
    if (last === undefined) return
    const links = this.#links((peer) => peer.phase === 'live')
    if (links.length > 0) this.#emit({ type: 'send', links, message: { type: 'delta', events: [last], ack: true } })
  }

  /** Leaves when nothing is left to wait for. */
  review(now: number): void {
    if (this.#deadline === undefined) return
    const { counter } = this.#commits
    const self = this.#roster.options.self.actor
    const isComplete = this.#roster.reachable(now).every((peer) => peer.row.hasUpTo(self, counter))
    if (!isComplete && now < this.#deadline) return
    this.#deadline = undefined
    const links = this.#links(() => true)
    if (links.length > 0) this.#emit({ type: 'send', links, message: { type: 'leave', counter } })
    this.#emit({ type: 'drained' })
  }

  #links(which: (peer: Peer) => boolean): readonly LinkId[] {
    return [...this.#roster.peers.values()].filter(which).map(({ link }) => link)
  }
}
