import { actorTag, type IdHash, type IdOrigin } from '../session/session.js'
import type { LoadAnswer, Stamp } from './events.js'
import type { Roster } from './roster.js'
import type { SessionState } from './sessions/session-state.js'
import { isCovered, isOverflow, isOverfull, missingDots, stampAfter } from './stamp.js'
import type { ReplicaState } from './state.js'

export interface LookupOptions {
  /** Longest wait for what a browser has seen, milliseconds. */
  readonly waitMs: number
  readonly stampDotsMax: number
  /** After that wait, with the origin unreachable: serve what is held, or answer 503. */
  readonly onStale: 'serve' | '503'
  /** When what the browser has seen is lost for good: accept what is left, answer an error, or start afresh. */
  readonly onLost: 'accept' | 'error' | 'fresh'
}

export interface Lookup {
  readonly request: number
  readonly id: IdHash
  readonly origin: IdOrigin | null
  readonly deadline: number
  readonly stamp?: Stamp | undefined
}

interface Counts {
  staleServed: number
  staleRefused: number
  lost: number
}

/** What is said to a look-up by what is held here: now, and when waiting for more was in vain. */
export class Answers {
  readonly #state: ReplicaState
  readonly #roster: Roster
  readonly #options: LookupOptions
  readonly #counts: Counts

  constructor(state: ReplicaState, roster: Roster, options: LookupOptions, counts: Counts) {
    this.#state = state
    this.#roster = roster
    this.#options = options
    this.#counts = counts
  }

  /** The answer if it can be given without waiting. */
  now({ id, origin, stamp }: Lookup, now: number): LoadAnswer | undefined {
    const session = this.#state.byId(id)
    if (session === undefined) {
      const why = this.#state.formerly(id)
      if (why !== undefined) return { state: 'none', why }
      return this.isDropped(id, origin) ? { state: 'none', why: 'gone' } : undefined
    }
    if (!session.isComplete) return undefined
    if (this.#isEnded(session, now)) return { state: 'none', why: 'gone' }
    if (stamp !== undefined && !isCovered(stamp, session, this.#state.context)) return undefined
    return this.isIdle(session, stamp, now) ? undefined : this.#found(session, stamp, false)
  }

  /** Over for good by what is held: revoked, or older than its absolute lifetime. */
  #isEnded(session: SessionState, now: number): boolean {
    const { base } = session
    return this.#state.isRevoked(session) || (base !== undefined && now >= base.createdAt + base.maxLifeMs)
  }

  /** Unused for too long by what is known here. Another node may know of a later access: it is asked before that is said. */
  isIdle(session: SessionState, seen: Stamp | undefined, now: number): boolean {
    if (seen !== undefined) session.touch(seen.touchedAt, now)
    return now >= session.touchedAt + session.maxIdleMs
  }

  /** Serves what is held. */
  #found(session: SessionState, keep: Stamp | undefined, stale: boolean): LoadAnswer {
    const stamp = stampAfter(session, keep, this.#state.context, this.#roster, this.#options.stampDotsMax)
    return { state: 'found', birth: session.birth, stamp, stale }
  }

  /** Whether the id named a session here and does no longer. */
  isDropped(id: IdHash, origin: IdOrigin | null): boolean {
    return this.#state.formerly(id) !== undefined || (origin !== null && this.#state.context.hasOrigin(origin))
  }

  /** Whether no process that may still tell us is left. */
  isHopeless({ origin, stamp }: Lookup, session: SessionState | undefined, now: number): boolean {
    if (session !== undefined) return stamp === undefined || this.#isLost(stamp, session, now)
    if (origin === null) return true
    return !this.#roster.others().some((member) => actorTag(member.actor) === origin.actorTag)
  }

  /** Who does not reach every member cannot tell a process that ended from one that began meanwhile. */
  #isLost(stamp: Stamp, session: SessionState, now: number): boolean {
    if (!this.#roster.reachesAll(now)) return false
    const missing = missingDots(stamp, session, this.#state.context)
    return missing.every((dot) => !this.#roster.isRunning(dot.actor))
  }

  /** Whether nothing is known to be missing but what the stamp had no room for. */
  #isOnlyOverfull(stamp: Stamp, session: SessionState): boolean {
    return isOverfull(stamp) && missingDots(stamp, session, this.#state.context).every(isOverflow)
  }

  /** The answer when waiting was in vain. `certain`: a node that has everything took part. */
  givenUp({ id, origin, stamp }: Lookup, certain: boolean, allAnswered: boolean, now: number): LoadAnswer {
    const session = this.#state.byId(id)
    if (!certain) return { state: 'behind' }
    if (session === undefined) {
      // Whoever added the id was heard a moment ago and cannot be asked now: the session may be there.
      const mayExist = origin !== null && this.#roster.wasHeardLately(origin.actorTag, now)
      return mayExist ? { state: 'behind' } : { state: 'none', why: 'unknown' }
    }
    if (!session.isComplete) return { state: 'behind' }
    // Denied is not killed: somebody who could not be asked may know of a later access.
    if (this.#isEnded(session, now) || this.isIdle(session, stamp, now)) return { state: 'none', why: 'gone' }
    if (stamp !== undefined && this.#isOnlyOverfull(stamp, session)) {
      // All that anybody has is here: the browser may start from it, and is told that some may be missing.
      if (allAnswered && this.#roster.reachesAll(now)) return this.#found(session, undefined, true)
    } else if (stamp !== undefined && allAnswered && this.#isLost(stamp, session, now)) {
      this.#counts.lost++
      if (this.#options.onLost === 'fresh') return { state: 'none', why: 'gone' }
      if (this.#options.onLost === 'error') return { state: 'behind' }
      // The browser forgets what is lost, or each of its requests would wait for it again.
      return this.#found(session, undefined, true)
    }
    if (this.#options.onStale === '503') {
      this.#counts.staleRefused++
      return { state: 'behind' }
    }
    this.#counts.staleServed++
    return this.#found(session, stamp, true)
  }
}
