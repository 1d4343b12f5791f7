import { actorTag, type IdHash, type IdOrigin } from '../session/session.js'
import { elapsedMs } from './elapsed.js'
import type { LinkId, LoadAnswer, Message, Output, Stamp } from './events.js'
import { Rate } from './rate.js'
import type { Roster } from './roster.js'
import type { SessionState } from './sessions/session-state.js'
import { isCovered, isOverflow, isOverfull, missingDots, stampAfter } from './stamp.js'
import type { ReplicaState } from './state.js'

type Reply = Extract<Message, { type: 'pull-reply' }>

export interface PullOptions {
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

interface Wait extends Lookup {
  readonly since: number
}

/** Everything that waits for one id, and whom we asked about it. */
interface Question {
  readonly query: number
  readonly id: IdHash
  readonly waits: Wait[]
  /** Peers that have not answered yet. */
  readonly open: Set<LinkId>
  /** A ready peer answered: its "I don't have it" counts. */
  heardReady: boolean
  /** A peer knew the id and has it no more. */
  dropped: boolean
}

/** Look-ups waiting at once; beyond it the answer is `behind`. */
const WAITS_MAX = 20_000
/** After a wait in vain, further requests of that session do not wait again for this long, milliseconds. */
const MISS_REMEMBERED_MS = 1_000
/**
 * Ids that others make say nothing of themselves: whether one was made up shows only when all peers have been asked. So
 * that a flood of them is no flood of questions, an id nobody knows is not asked about again for a while, and so many
 * different ones are asked about a second; beyond it what is held here counts, which on a ready node is nearly all.
 */
const FOREIGN_ASKED_PER_SECOND = 500

/**
 * Look-ups. Nearly all are answered from what is held. One whose session is on its way, or whose browser has seen more
 * than is held, asks the peers for that single session and waits, bounded; then a policy decides.
 */
export class Pulls {
  readonly #state: ReplicaState
  readonly #roster: Roster
  readonly #options: PullOptions
  readonly #emit: (output: Output) => void
  readonly #byId = new Map<IdHash, Question>()
  readonly #byQuery = new Map<number, Question>()
  readonly #missedAt = new Map<IdHash, number>()
  readonly #foreign = new Rate(FOREIGN_ASKED_PER_SECOND)
  #waiting = 0
  #queries = 0
  readonly counts = { waits: 0, staleServed: 0, staleRefused: 0, lost: 0, notAsked: 0 }

  constructor(state: ReplicaState, roster: Roster, options: PullOptions, emit: (output: Output) => void) {
    this.#state = state
    this.#roster = roster
    this.#options = options
    this.#emit = emit
  }

  /** The answer if it can be given without asking anybody. */
  answerNow(lookup: Lookup, now: number): LoadAnswer | undefined {
    if (this.#roster.isFenced) return { state: 'behind' }
    // Until caught up, what is held here may lack a logout that the others know of: they are asked in any case.
    return this.#roster.isCaughtUp ? this.#answer(lookup, now) : undefined
  }

  load(lookup: Lookup, now: number): void {
    const { request } = lookup
    const answer = this.answerNow(lookup, now)
    if (answer !== undefined) this.#emit({ type: 'loaded', request, answer })
    else if (this.#cannotAsk(lookup, now)) {
      this.#emit({ type: 'loaded', request, answer: this.#giveUp(lookup, this.#roster.isReady, false, now) })
    } else this.#ask(lookup, now)
  }

  /** Whether any request waits for an answer of the peers. */
  get isAsking(): boolean {
    return this.#byId.size > 0
  }

  /** Something about the session changed: whoever waits for it may go on. */
  changed(session: SessionState, now: number): void {
    for (const { hash } of session.ids) {
      const question = this.#byId.get(hash)
      if (question !== undefined) this.#retry(question, now)
    }
  }

  onPull(link: LinkId, pull: Extract<Message, { type: 'pull' }>): void {
    const asked = new Map<number, SessionState>()
    const kills = []
    const dead = []
    const dropped: IdHash[] = []
    for (const birth of pull.births) {
      const session = this.#state.live.get(birth)
      const kill = this.#state.kills.get(birth)
      if (session !== undefined) asked.set(session.handle, session)
      else if (kill !== undefined) kills.push({ birth, dot: kill.dot, reason: kill.reason })
      else if (this.#state.isDead(birth)) dead.push(birth)
    }
    for (const { hash, origin } of pull.ids) {
      const session = this.#state.byId(hash)
      if (session !== undefined) asked.set(session.handle, session)
      else if (this.#isDropped(hash, origin)) dropped.push(hash)
    }
    // A death without a kill event of its own is proved by the floor alone.
    const needsFloor = dead.length > 0 || kills.some((kill) => kill.dot === null)
    const message: Message = {
      type: 'pull-reply',
      query: pull.query,
      fragments: Array.from(asked.values(), (session) => session.fragment()),
      kills,
      dead,
      dropped,
      floor: !needsFloor ? [] : [...this.#state.floor].map(([actor, counter]) => ({ actor, counter })),
      ready: this.#roster.isReady,
    }
    this.#emit({ type: 'send', links: [link], message })
  }

  onReply(link: LinkId, reply: Reply, now: number): void {
    for (const fragment of reply.fragments) this.#state.merge(fragment, now)
    for (const kill of reply.kills) this.#state.bury(kill, now)
    this.#state.joinFloor(reply.floor)
    for (const birth of reply.dead) this.#state.bury({ birth, dot: null, reason: 'destroyed' }, now)

    const question = this.#byQuery.get(reply.query)
    if (question === undefined || !question.open.delete(link)) return
    question.heardReady ||= reply.ready
    question.dropped ||= reply.dropped.includes(question.id)
    this.#retry(question, now)
  }

  linkDown(link: LinkId, now: number): void {
    for (const question of this.#byId.values()) if (question.open.delete(link)) this.#retry(question, now)
  }

  tick(now: number): void {
    for (const question of this.#byId.values()) this.#retry(question, now)
    for (const [id, at] of this.#missedAt) if (elapsedMs(at, now) >= MISS_REMEMBERED_MS) this.#missedAt.delete(id)
  }

  /** The answer if it can be given without waiting. */
  #answer({ id, origin, stamp }: Lookup, now: number): LoadAnswer | undefined {
    const session = this.#state.byId(id)
    if (session === undefined) {
      const why = this.#state.formerly(id)
      if (why !== undefined) return { state: 'none', why }
      return this.#isDropped(id, origin) ? { state: 'none', why: 'gone' } : undefined
    }
    if (!session.isComplete) return undefined
    if (this.#isEnded(session, now)) return { state: 'none', why: 'gone' }
    if (stamp !== undefined && !isCovered(stamp, session, this.#state.context)) return undefined
    return this.#isIdle(session, stamp, now) ? undefined : this.#found(session, stamp, false)
  }

  /** Over for good by what is held: revoked, or older than its absolute lifetime. */
  #isEnded(session: SessionState, now: number): boolean {
    const { base } = session
    return this.#state.isRevoked(session) || (base !== undefined && now >= base.createdAt + base.maxLifeMs)
  }

  /** Unused for too long by what is known here. Another node may know of a later access: it is asked before that is said. */
  #isIdle(session: SessionState, seen: Stamp | undefined, now: number): boolean {
    if (seen !== undefined) session.touch(seen.touchedAt, now)
    return now >= session.touchedAt + session.maxIdleMs
  }

  /** Serves what is held. */
  #found(session: SessionState, keep: Stamp | undefined, stale: boolean): LoadAnswer {
    return { state: 'found', birth: session.birth, stamp: this.#stampAfter(session, keep), stale }
  }

  #stampAfter(session: SessionState, keep: Stamp | undefined): Stamp {
    return stampAfter(session, keep, this.#state.context, this.#roster, this.#options.stampDotsMax)
  }

  #isDropped(id: IdHash, origin: IdOrigin | null): boolean {
    return this.#state.formerly(id) !== undefined || (origin !== null && this.#state.context.hasOrigin(origin))
  }

  #cannotAsk({ id, origin }: Lookup, now: number): boolean {
    if (this.#roster.peers.size === 0 || this.#waiting >= WAITS_MAX) return true
    if (elapsedMs(this.#missedAt.get(id) ?? -Infinity, now) < MISS_REMEMBERED_MS) return true
    const isForeign = origin === null && this.#state.byId(id) === undefined
    if (!isForeign || this.#byId.has(id) || this.#foreign.take(now)) return false
    this.counts.notAsked++
    return true
  }

  #ask(lookup: Lookup, now: number): void {
    const wait = { ...lookup, deadline: Math.min(lookup.deadline, now + this.#options.waitMs), since: now }
    this.#waiting++
    this.counts.waits++
    const open = this.#byId.get(lookup.id)
    if (open !== undefined) {
      open.waits.push(wait)
      return
    }
    const links = [...this.#roster.peers.keys()]
    const question: Question = {
      query: ++this.#queries,
      id: lookup.id,
      waits: [wait],
      open: new Set(links),
      heardReady: false,
      dropped: false,
    }
    this.#byId.set(question.id, question)
    this.#byQuery.set(question.query, question)
    const session = this.#state.byId(lookup.id)
    const message: Message = {
      type: 'pull',
      query: question.query,
      births: session === undefined ? [] : [session.birth],
      ids: [{ hash: lookup.id, origin: lookup.origin }],
    }
    this.#emit({ type: 'send', links, message })
  }

  /** Answers every look-up of the question that can be answered now. */
  #retry(question: Question, now: number): void {
    const mayServe = this.#roster.isCaughtUp || (question.heardReady && question.open.size === 0)
    const still = question.waits.filter((wait) => {
      const answer = (mayServe ? this.#answer(wait, now) : undefined) ?? this.#decide(question, wait, now)
      if (answer === undefined) return true
      this.#waiting--
      this.#emit({ type: 'loaded', request: wait.request, answer })
      return false
    })
    question.waits.splice(0, question.waits.length, ...still)
    if (still.length > 0) return
    this.#byId.delete(question.id)
    this.#byQuery.delete(question.query)
  }

  /** What to say when the peers have spoken, or time is up. */
  #decide(question: Question, wait: Wait, now: number): LoadAnswer | undefined {
    const timeIsUp = now >= wait.deadline || elapsedMs(wait.since, now) === Infinity
    const session = this.#state.byId(wait.id)
    if (session === undefined && question.dropped) return { state: 'none', why: 'gone' }
    const allAnswered = question.open.size === 0
    if (!timeIsUp && !allAnswered) return undefined
    // All have answered, but an origin of what is missing runs: it may still be on its way.
    if (!timeIsUp && !this.#isHopeless(wait, session, now)) return undefined
    const isIdle = session !== undefined && this.#isIdle(session, wait.stamp, now)
    if (timeIsUp || isIdle || (wait.origin === null && session === undefined)) this.#missedAt.set(wait.id, now)
    return this.#giveUp(wait, this.#roster.isReady || question.heardReady, allAnswered, now)
  }

  /** Whether no process that may still tell us is left. */
  #isHopeless({ origin, stamp }: Lookup, session: SessionState | undefined, now: number): boolean {
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
  #giveUp({ id, origin, stamp }: Lookup, certain: boolean, allAnswered: boolean, now: number): LoadAnswer {
    const session = this.#state.byId(id)
    if (!certain) return { state: 'behind' }
    if (session === undefined) {
      // Whoever added the id was heard a moment ago and cannot be asked now: the session may be there.
      const mayExist = origin !== null && this.#roster.wasHeardLately(origin.actorTag, now)
      return mayExist ? { state: 'behind' } : { state: 'none', why: 'unknown' }
    }
    if (!session.isComplete) return { state: 'behind' }
    // Denied is not killed: somebody who could not be asked may know of a later access.
    if (this.#isEnded(session, now) || this.#isIdle(session, stamp, now)) return { state: 'none', why: 'gone' }
    if (stamp !== undefined && this.#isOnlyOverfull(stamp, session)) {
      // All that anybody has is here: the browser may start from it, and is told that some may be missing.
      if (allAnswered && this.#roster.reachesAll(now)) return this.#found(session, undefined, true)
    } else if (stamp !== undefined && allAnswered && this.#isLost(stamp, session, now)) {
      this.counts.lost++
      if (this.#options.onLost === 'fresh') return { state: 'none', why: 'gone' }
      if (this.#options.onLost === 'error') return { state: 'behind' }
      // The browser forgets what is lost, or each of its requests would wait for it again.
      return this.#found(session, undefined, true)
    }
    if (this.#options.onStale === '503') {
      this.counts.staleRefused++
      return { state: 'behind' }
    }
    this.counts.staleServed++
    return this.#found(session, stamp, true)
  }
}
