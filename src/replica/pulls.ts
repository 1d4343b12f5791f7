import { actorTag, type IdHash, type IdOrigin } from '../session/session.js'
import { Answers, type Lookup, type LookupOptions } from './answers.js'
import { elapsedMs } from './elapsed.js'
import type { LinkId, LoadAnswer, Message, Output } from './events.js'
import { Rate } from './rate.js'
import type { Roster } from './roster.js'
import type { SessionState } from './sessions/session-state.js'
import { missingDots } from './stamp.js'
import type { ReplicaState } from './state.js'

type Reply = Extract<Message, { type: 'pull-reply' }>

interface Wait extends Lookup {
  readonly since: number
}

/** Everything that waits for one id, and whom we asked about it, if anybody. */
interface Question {
  readonly query: number
  readonly id: IdHash
  readonly origin: IdOrigin | null
  readonly waits: Wait[]
  /** Peers that have not answered yet; undefined: nobody was asked, since what is missing is on its way. */
  open: Set<LinkId> | undefined
  /** A ready peer answered: its "I don't have it" counts. */
  heardReady: boolean
  /** A peer knew the id and has it no more. */
  dropped: boolean
}

/** What is on its way is asked for with the first tick after so long, milliseconds: longer than it takes, as a rule. */
const ON_ITS_WAY_MS = 50
/** Who has less time left than this for waiting and asking does not wait first, milliseconds. */
const TIME_TO_WAIT_MS = 500
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
 * Look-ups. Nearly all are answered from what is held. One whose session is not here yet, or whose browser has seen more
 * than is held, waits, bounded; then a policy decides. A maker that is linked sent what is missing before its browser could
 * come here, over a link that keeps the order: no answer of it would be sooner. So the peers are asked for the session only
 * where that is not so, or where it takes long.
 */
export class Pulls {
  readonly #state: ReplicaState
  readonly #roster: Roster
  readonly #answers: Answers
  readonly #waitMs: number
  readonly #emit: (output: Output) => void
  readonly #byId = new Map<IdHash, Question>()
  readonly #byQuery = new Map<number, Question>()
  readonly #missedAt = new Map<IdHash, number>()
  readonly #foreign = new Rate(FOREIGN_ASKED_PER_SECOND)
  #waiting = 0
  #queries = 0
  readonly counts = { waits: 0, asked: 0, staleServed: 0, staleRefused: 0, lost: 0, notAsked: 0 }

  constructor(state: ReplicaState, roster: Roster, options: LookupOptions, emit: (output: Output) => void) {
    this.#state = state
    this.#roster = roster
    this.#answers = new Answers(state, roster, options, this.counts)
    this.#waitMs = options.waitMs
    this.#emit = emit
  }

  /** The answer if it can be given without asking anybody. */
  answerNow(lookup: Lookup, now: number): LoadAnswer | undefined {
    if (this.#roster.isFenced) return { state: 'behind' }
    // Until caught up, what is held here may lack a logout that the others know of: they are asked in any case.
    return this.#roster.isCaughtUp ? this.#answers.now(lookup, now) : undefined
  }

  load(lookup: Lookup, now: number): void {
    const { request } = lookup
    const answer = this.answerNow(lookup, now)
    if (answer !== undefined) this.#emit({ type: 'loaded', request, answer })
    else if (this.#cannotAsk(lookup, now)) {
      this.#emit({ type: 'loaded', request, answer: this.#answers.givenUp(lookup, this.#roster.isReady, false, now) })
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
      else if (this.#answers.isDropped(hash, origin)) dropped.push(hash)
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
    if (question?.open?.delete(link) !== true) return
    question.heardReady ||= reply.ready
    question.dropped ||= reply.dropped.includes(question.id)
    this.#retry(question, now)
  }

  linkDown(link: LinkId, now: number): void {
    for (const question of this.#byId.values()) {
      if (question.open === undefined) {
        if (!question.waits.every((wait) => this.#isOnItsWay(wait, now))) this.#askPeers(question)
      } else if (question.open.delete(link)) this.#retry(question, now)
    }
  }

  tick(now: number): void {
    for (const question of this.#byId.values()) {
      const since = question.waits[0]?.since ?? now
      if (question.open === undefined && elapsedMs(since, now) >= ON_ITS_WAY_MS) this.#askPeers(question)
      this.#retry(question, now)
    }
    for (const [id, at] of this.#missedAt) if (elapsedMs(at, now) >= MISS_REMEMBERED_MS) this.#missedAt.delete(id)
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
    const wait = { ...lookup, deadline: Math.min(lookup.deadline, now + this.#waitMs), since: now }
    this.#waiting++
    this.counts.waits++
    const question = this.#byId.get(lookup.id) ?? this.#begin(lookup)
    question.waits.push(wait)
    if (question.open !== undefined) return
    const hasTime = wait.deadline - now >= TIME_TO_WAIT_MS
    if (!hasTime || !this.#isOnItsWay(lookup, now)) this.#askPeers(question)
  }

  #begin({ id, origin }: Lookup): Question {
    const question = { query: ++this.#queries, id, origin, waits: [], open: undefined, heardReady: false, dropped: false }
    this.#byId.set(id, question)
    this.#byQuery.set(question.query, question)
    return question
  }

  /**
   * Whether all that is missing was made by one process with a link: it comes by itself. Where several made it, one of them
   * may have the work of all, and be nearer than the others.
   */
  #isOnItsWay(lookup: Lookup, now: number): boolean {
    // Until caught up, what is held says nothing.
    if (!this.#roster.isCaughtUp) return false
    const [maker, ...others] = this.#makersOfMissing(lookup)
    if (maker === undefined || others.length > 0) return false
    return this.#roster.reachable(now).some(({ member }) => actorTag(member.actor) === maker)
  }

  /** Tags of the processes that made what is missing; none: that is not known. */
  #makersOfMissing({ id, origin, stamp }: Lookup): ReadonlySet<number> {
    const session = this.#state.byId(id)
    const makers = new Set<number>()
    if (session === undefined ? origin === null : !session.isComplete) return makers
    if (session === undefined && origin !== null) makers.add(origin.actorTag)
    if (stamp === undefined) return makers
    for (const { actor } of missingDots(stamp, session, this.#state.context)) makers.add(actorTag(actor))
    return makers
  }

  #askPeers(question: Question): void {
    const links = [...this.#roster.peers.keys()]
    question.open = new Set(links)
    if (links.length === 0) return
    this.counts.asked++
    const { query, id, origin } = question
    const session = this.#state.byId(id)
    const births = session === undefined ? [] : [session.birth]
    this.#emit({ type: 'send', links, message: { type: 'pull', query, births, ids: [{ hash: id, origin }] } })
  }

  /** Answers every look-up of the question that can be answered now. */
  #retry(question: Question, now: number): void {
    const mayServe = this.#roster.isCaughtUp || (question.heardReady && question.open?.size === 0)
    const still = question.waits.filter((wait) => {
      const answer = (mayServe ? this.#answers.now(wait, now) : undefined) ?? this.#decide(question, wait, now)
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
    const allAnswered = question.open?.size === 0
    if (!timeIsUp && !allAnswered) return undefined
    // All have answered, but an origin of what is missing runs: it may still be on its way.
    if (!timeIsUp && !this.#answers.isHopeless(wait, session, now)) return undefined
    const isIdle = session !== undefined && this.#answers.isIdle(session, wait.stamp, now)
    if (timeIsUp || isIdle || (wait.origin === null && session === undefined)) this.#missedAt.set(wait.id, now)
    return this.#answers.givenUp(wait, this.#roster.isReady || question.heardReady, allAnswered, now)
  }
}
