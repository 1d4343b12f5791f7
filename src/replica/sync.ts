import type { Dot } from '../session/session.js'
import { Context } from './context.js'
import { DotMap } from './dot-map.js'
import { elapsedMs } from './elapsed.js'
import type { ContextEntry, Fragment, Kill, LinkId, Message, Output, Revocation } from './events.js'
import type { Peer } from './peer.js'
import type { Roster } from './roster.js'
import type { ReplicaState } from './state.js'

type Part = Extract<Message, { type: 'sync-part' }>
type End = Extract<Message, { type: 'sync-end' }>

/** Parts sent ahead of their credit, so that a slow requester bounds what the sender has in flight. */
const PARTS_IN_FLIGHT = 4
/** One part ends at whichever comes first. */
const PART_BYTES = 48 * 1024
const PART_KILLS = 1_000
const PART_REVOCATIONS = 100
const PART_SCANNED = 20_000
/** A round or a job without progress for longer is given up, milliseconds. */
const STALLED_AFTER_MS = 5_000
/** A peer known to have more than we for longer is asked; before, the event is probably on its way, milliseconds. */
const BEHIND_FOR_MS = 250
/** Two rounds with one peer start at least this far apart, milliseconds. */
const ROUND_GAP_MS = 50
/** More requests than this within a second and the peer is not behaving. */
const REQUESTS_PER_SECOND_MAX = 100

/** Our question to one peer: everything that it has and we lack. */
interface Round {
  readonly round: number
  readonly link: LinkId
  /** The peer's answer this round is made of; parts of any other are refused (rule S1). */
  job: number | undefined
  readonly received: Set<number>
  readonly live: DotMap<true>
  /** Deaths whose only proof is the floor that comes with the end. */
  readonly unproven: Kill[]
  end: End | undefined
  progressAt: number
}

/** Our answer to one peer. */
interface Job {
  readonly job: number
  readonly round: number
  readonly link: LinkId
  readonly since: Context
  readonly context: readonly ContextEntry[]
  readonly births: readonly Dot[]
  readonly listLive: boolean
  readonly kills: Kill[]
  readonly revocations: Revocation[]
  next: number
  sent: number
  credited: number
  progressAt: number
}

/**
 * Anti-entropy and state transfer in one mechanism (rules S1-S7): a round asks one peer for everything it has and we
 * lack. The answer streams in parts while traffic goes on; what the peer's context claims is believed only when every
 * part of one and the same answer has arrived.
 */
export class Sync {
  readonly #state: ReplicaState
  readonly #roster: Roster
  readonly #emit: (output: Output) => void
  readonly #partFragmentsMax: number
  readonly #jobs = new Map<LinkId, Job>()
  readonly #wanted = new Set<LinkId>()
  /** The digest of each peer that is known to be covered: a context only grows, so it stays covered. */
  readonly #covered = new Map<LinkId, Peer['digest']>()
  readonly #behindSince = new Map<LinkId, number>()
  readonly #startedAt = new Map<LinkId, number>()
  readonly #requests = new Map<LinkId, { second: number; count: number }>()
  #round: Round | undefined = undefined
  #rounds = 0
  #jobsMade = 0
  #completed = 0

  /** `partFragmentsMax`: sessions in one part, where bytes do not end it before. */
  constructor(state: ReplicaState, roster: Roster, emit: (output: Output) => void, partFragmentsMax: number) {
    this.#state = state
    this.#roster = roster
    this.#emit = emit
    this.#partFragmentsMax = partFragmentsMax
  }

  /** Rounds that went to their end. */
  get completed(): number {
    return this.#completed
  }

  /** While an answer is under way no kill record may be forgotten (rule S3). */
  get isAnswering(): boolean {
    return this.#jobs.size > 0
  }

  /** Asks the peer as soon as no other round is open: it is known to have what we lack. */
  want(link: LinkId, now: number): void {
    this.#wanted.add(link)
    this.#startNext(now)
  }

  linkDown(link: LinkId, now: number): void {
    this.#jobs.delete(link)
    this.#wanted.delete(link)
    this.#covered.delete(link)
    this.#behindSince.delete(link)
    this.#startedAt.delete(link)
    this.#requests.delete(link)
    if (this.#round?.link === link) this.#round = undefined
    this.#startNext(now)
  }

  tick(now: number): void {
    const round = this.#round
    if (round !== undefined && elapsedMs(round.progressAt, now) > STALLED_AFTER_MS) this.#round = undefined
    for (const job of this.#jobs.values()) {
      if (elapsedMs(job.progressAt, now) > STALLED_AFTER_MS) this.#jobs.delete(job.link)
    }
    for (const peer of this.#roster.peers.values()) this.#compare(peer, now)
    this.#startNext(now)
  }

  /** Notices that a peer has what we lack; asks when it does not come by itself, at once until we are caught up. */
  #compare(peer: Peer, now: number): void {
    const { link, digest } = peer
    if (digest === this.#covered.get(link)) return
    if (digest === undefined || this.#state.context.covers(digest.context)) {
      this.#covered.set(link, digest)
      this.#behindSince.delete(link)
      return
    }
    const since = this.#behindSince.get(link) ?? now
    this.#behindSince.set(link, since)
    if (!this.#roster.isCaughtUp || elapsedMs(since, now) >= BEHIND_FOR_MS) this.#wanted.add(link)
  }

  #startNext(now: number): void {
    if (this.#round !== undefined) return
    for (const link of this.#wanted) {
      if (elapsedMs(this.#startedAt.get(link) ?? -Infinity, now) < ROUND_GAP_MS) continue
      this.#wanted.delete(link)
      if (!this.#roster.peers.has(link)) continue
      this.#startedAt.set(link, now)
      this.#round = {
        round: ++this.#rounds,
        link,
        job: undefined,
        received: new Set(),
        live: new DotMap(),
        unproven: [],
        end: undefined,
        progressAt: now,
      }
      const context = this.#state.context.entries()
      this.#emit({ type: 'send', links: [link], message: { type: 'sync-request', round: this.#rounds, context } })
      return
    }
  }

  // ── Asking ──────────────────────────────────────────────────────────────────────────────────────────────────────

  onPart(link: LinkId, part: Part, now: number): void {
    const round = this.#roundOf(link, part)
    if (round === undefined || round.received.has(part.index)) return
    for (const fragment of part.fragments) this.#state.merge(fragment, now)
    for (const kill of part.kills) {
      if (kill.dot === null) round.unproven.push(kill)
      else this.#state.bury(kill, now)
    }
    for (const revocation of part.revocations) this.#state.revoke(revocation)
    for (const birth of part.live) round.live.set(birth, true)
    round.received.add(part.index)
    round.progressAt = now
    this.#emit({ type: 'send', links: [link], message: { type: 'sync-credit', job: part.job, index: part.index } })
    this.#finish(round, now)
  }

  onEnd(link: LinkId, end: End, now: number): void {
    const round = this.#roundOf(link, end)
    if (round === undefined) return
    round.end = end
    round.progressAt = now
    this.#finish(round, now)
  }

  #roundOf(link: LinkId, message: Part | End): Round | undefined {
    const round = this.#round
    if (round === undefined || round.link !== link || round.round !== message.round) return undefined
    round.job ??= message.job
    return round.job === message.job ? round : undefined
  }

  /** Rule S4: the peer's snapshot context is joined only when all parts of this answer are here. */
  #finish(round: Round, now: number): void {
    const { end } = round
    if (end === undefined || round.received.size < end.parts) return
    const claimed = Context.of(end.context)
    this.#state.joinFloor(end.floor)
    for (const kill of round.unproven) this.#state.bury(kill, now)
    if (end.live) this.#buryUnlisted(claimed, round.live, now)
    this.#state.context.join(end.context)
    this.#roster.peers.get(round.link)?.row.join(end.context)
    this.#completed++
    this.#round = undefined
    this.#startNext(now)
  }

  /** Rules S6 and S7: what the peer once had and has no more is dead, and others must be able to learn it from us. */
  #buryUnlisted(claimed: Context, listed: DotMap<true>, now: number): void {
    const dead: Dot[] = []
    for (const session of this.#state.live.values()) {
      if (claimed.has(session.birth) && !listed.has(session.birth)) dead.push(session.birth)
    }
    for (const birth of dead) this.#state.bury({ birth, dot: null, reason: 'destroyed' }, now)
  }

  // ── Answering ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes the snapshot in one step, so that context, births, kills and the decision about live births agree. */
  onRequest(link: LinkId, request: Extract<Message, { type: 'sync-request' }>, now: number): void {
    if (this.#isFlooding(link, now)) {
      this.#emit({ type: 'quarantine', link, rule: 'sync-flood' })
      return
    }
    const since = Context.of(request.context)
    const listLive = [...this.#state.floor].some(([actor, counter]) => !since.hasUpTo(actor, counter))
    const context = this.#state.context.entries()
    const job: Job = {
      job: ++this.#jobsMade,
      round: request.round,
      link,
      since,
      context,
      births: (listLive ? undefined : this.#state.recent.touchedSince(since, context)) ?? this.#allBirths(),
      listLive,
      kills: [...this.#state.kills.values()]
        .filter((kill) => kill.dot === null || !since.has(kill.dot))
        .map(({ birth, dot, reason }) => ({ birth, dot, reason })),
      revocations: [...this.#state.revocations.values()].filter((revocation) => !since.has(revocation.dot)),
      next: 0,
      sent: 0,
      credited: 0,
      progressAt: now,
    }
    this.#jobs.set(link, job)
    this.#roster.peers.get(link)?.row.join(request.context)
    this.#continue(job)
  }

  #allBirths(): readonly Dot[] {
    const births: Dot[] = []
    for (const session of this.#state.live.values()) births.push(session.birth)
    return births
  }

  onCredit(link: LinkId, credit: Extract<Message, { type: 'sync-credit' }>, now: number): void {
    const job = this.#jobs.get(link)
    if (job === undefined || job.job !== credit.job) return
    job.credited = Math.max(job.credited, credit.index + 1)
    job.progressAt = now
    this.#continue(job)
  }

  #continue(job: Job): void {
    while (job.sent - job.credited < PARTS_IN_FLIGHT) {
      if (job.next >= job.births.length && job.kills.length === 0 && job.revocations.length === 0) {
        this.#end(job)
        return
      }
      const message = this.#part(job)
      job.sent++
      this.#emit({ type: 'send', links: [job.link], message })
    }
  }

  #part(job: Job): Part {
    const fragments: Fragment[] = []
    const kills = job.kills.splice(0, PART_KILLS)
    const revocations = job.revocations.splice(0, PART_REVOCATIONS)
    const live: Dot[] = []
    let bytes = 0
    let scanned = 0
    while (job.next < job.births.length && bytes < PART_BYTES && fragments.length < this.#partFragmentsMax) {
      if (++scanned > PART_SCANNED) break
      const birth = job.births[job.next++] as Dot
      const session = this.#state.live.get(birth)
      if (session === undefined) {
        // Rule S2: it died while the job was running.
        const kill = this.#state.kills.get(birth)
        if (kill !== undefined) kills.push({ birth, dot: kill.dot, reason: kill.reason })
        continue
      }
      if (job.listLive) live.push(birth)
      if (!session.hasNewsFor(job.since)) continue
      fragments.push(session.fragment(job.since))
      bytes += session.bytes + 100
    }
    return { type: 'sync-part', round: job.round, job: job.job, index: job.sent, fragments, kills, revocations, live }
  }

  #end(job: Job): void {
    this.#jobs.delete(job.link)
    // Rule S5: the floor as it is now, not as it was when the job began.
    const floor = [...this.#state.floor].map(([actor, counter]) => ({ actor, counter }))
    const { round, context, listLive: live } = job
    const message: Message = { type: 'sync-end', round, job: job.job, parts: job.sent, context, floor, live }
    this.#emit({ type: 'send', links: [job.link], message })
  }

  #isFlooding(link: LinkId, now: number): boolean {
    const second = Math.floor(now / 1000)
    const seen = this.#requests.get(link)
    const count = seen?.second === second ? seen.count + 1 : 1
    this.#requests.set(link, { second, count })
    return count > REQUESTS_PER_SECOND_MAX
  }
}
