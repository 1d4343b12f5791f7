import type { Dot, EndReason } from '../session/session.js'
import type { Concerns } from './concerns.js'
import type { Commit, CommitWrites, Event, Input, Output, RegisterWrite, Stamp } from './events.js'
import { hlcAt } from './hlc.js'
import { changeFor, isChange } from './merge/register.js'
import type { Written } from './merge/stamp-order.js'
import type { Outbox } from './outbox.js'
import type { Roster } from './roster.js'
import type { SessionState } from './sessions/session-state.js'
import { stampAfter } from './stamp.js'
import type { ReplicaState } from './state.js'

export interface CommitOptions {
  readonly maxSkewMs: number
  readonly stampDotsMax: number
}

/** Makes this node's own commits events: one commit, one event, one dot. */
export class Commits {
  readonly #state: ReplicaState
  readonly #roster: Roster
  readonly #outbox: Outbox
  readonly #concerns: Concerns
  readonly #options: CommitOptions
  readonly #emit: (output: Output) => void
  #counter = 0
  #isApplying = false

  constructor(
    state: ReplicaState,
    roster: Roster,
    outbox: Outbox,
    concerns: Concerns,
    emit: (output: Output) => void,
    options: CommitOptions,
  ) {
    this.#state = state
    this.#roster = roster
    this.#outbox = outbox
    this.#concerns = concerns
    this.#emit = emit
    this.#options = options
  }

  /** The last own event. */
  get counter(): number {
    return this.#counter
  }

  get nextDot(): Dot {
    return { actor: this.#roster.options.self.actor, counter: this.#counter + 1 }
  }

  /** What changes now was caused by this node. */
  get isApplying(): boolean {
    return this.#isApplying
  }

  /** Commits, and has the request answered when its concern is met. False: the session is gone, nothing was done. */
  commit({ commit, request, concern, deadline, stamp }: Extract<Input, { type: 'commit' }>, now: number): boolean {
    const session = commit.type === 'revoke' || commit.type === 'create' ? undefined : this.#aliveFor(commit, now)
    if (session === 'gone') return false
    const { maxSkewMs, stampDotsMax } = this.#options
    if (stamp !== undefined && stamp.highest <= hlcAt(now + maxSkewMs)) this.#state.clock.observe(stamp.highest)
    const kills = commit.type === 'revoke' ? this.#state.byPrincipal(commit.principal) : []
    const awaited = concern !== 'async'
    const dot = this.#originate(commit, session, awaited, now)
    for (const { birth } of kills) this.kill(birth, 'logged-out', now, awaited)
    const changed = commit.type === 'create' || awaited ? this.#state.live.get(session?.birth ?? dot) : session
    const after = (): Stamp | undefined =>
      changed === undefined || commit.type === 'kill'
        ? undefined
        : stampAfter(changed, stamp, this.#state.context, this.#roster, stampDotsMax)
    if (!awaited) {
      this.#emit({ type: 'committed', request, outcome: 'done', stamp: after() })
      return true
    }
    changed?.pin()
    const confirmed = (): Stamp | undefined => {
      const seen = after()
      changed?.unpin()
      return seen
    }
    this.#concerns.wait({ request, counter: this.#counter, concern, deadline, stamp: confirmed }, now)
    return true
  }

  kill(birth: Dot, reason: EndReason, now: number, awaited = false): void {
    this.#originate({ type: 'kill', birth, reason }, this.#state.live.get(birth), awaited, now)
  }

  /** The session a commit is for, if it may still be changed. A kill may also end one that is idle for too long. */
  #aliveFor(commit: Exclude<Commit, { type: 'create' | 'revoke' }>, now: number): SessionState | 'gone' {
    const session = this.#state.live.get(commit.birth)
    if (session === undefined || !session.isComplete || this.#state.isRevoked(session)) return 'gone'
    return commit.type !== 'kill' && now >= session.expiresAt ? 'gone' : session
  }

  /** Makes the commit an event of ours and applies it; it leaves with the next flush. */
  #originate(commit: Commit, session: SessionState | undefined, awaited: boolean, now: number): Dot {
    const dot = this.nextDot
    const event = this.#event(commit, session, dot, now)
    this.#counter = dot.counter
    this.#isApplying = true
    this.#state.apply(event, now)
    this.#isApplying = false
    const changed = event.type === 'revoke' ? undefined : this.#state.live.get(event.birth)
    if (changed !== undefined) changed.announcedAt = changed.touchedAt
    this.#outbox.push(event, awaited)
    return dot
  }

  #event(commit: Commit, session: SessionState | undefined, dot: Dot, now: number): Event {
    const hlc = this.#state.clock.next(now)
    const touchedAt = session === undefined ? now : Math.max(session.touchedAt, now)
    const writes = 'writes' in commit ? this.#changes(commit.writes, session, { hlc, dot }) : []
    switch (commit.type) {
      case 'create':
        return { type: 'create', dot, birth: dot, hlc, touchedAt, base: commit.base, id: commit.id, writes }
      case 'write':
        return { type: 'write', dot, birth: commit.birth, hlc, touchedAt, writes }
      case 'rotate': {
        const drops = session === undefined ? [] : session.ids.map((id) => id.dot)
        return { type: 'rotate', dot, birth: commit.birth, hlc, touchedAt, id: commit.id, drops, writes }
      }
      case 'kill':
        return { type: 'kill', dot, birth: commit.birth, hlc, touchedAt, reason: commit.reason }
      case 'revoke':
        return { type: 'revoke', dot, hlc, principal: commit.principal }
    }
  }

  /** What is asked for, as what it changes in what this node holds. */
  #changes(asked: CommitWrites, session: SessionState | undefined, own: Written): readonly RegisterWrite[] {
    return asked.every(isChange) ? asked : asked.map((write) => changeFor(write, session?.register(write.name), own))
  }
}
