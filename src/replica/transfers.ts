import type { Dot } from '../session/session.js'
import { Context } from './context.js'
import { elapsedMs } from './elapsed.js'
import type { ContextEntry, Fragment, Kill, LinkId, Message, Output, Revocation } from './events.js'
import type { Roster } from './roster.js'
import type { ReplicaState } from './state.js'

type Part = Extract<Message, { type: 'sync-part' }>

/** A sync round without progress for longer is given up, by who asks and by who answers, milliseconds. */
export const STALLED_AFTER_MS = 5_000
/** Parts sent ahead of their credit, so that a slow requester bounds what the sender has in flight. */
const PARTS_IN_FLIGHT = 4
/** One part ends at whichever comes first. */
const PART_BYTES = 48 * 1024
const PART_KILLS = 1_000
const PART_REVOCATIONS = 100
const PART_SCANNED = 20_000
/** More requests than this within a second and the peer is not behaving. */
const REQUESTS_PER_SECOND_MAX = 100

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

/** What peers that ask for a round are sent: one job each, in parts, as fast as the peer takes them (rules S1-S3, S5, S6). */
export class Transfers {
  readonly #state: ReplicaState
  readonly #roster: Roster
  readonly #emit: (output: Output) => void
  readonly #partFragmentsMax: number
  readonly #jobs = new Map<LinkId, Job>()
  readonly #requests = new Map<LinkId, { second: number; count: number }>()
  #jobsMade = 0

  /** `partFragmentsMax`: sessions in one part, where bytes do not end it before. */
  constructor(state: ReplicaState, roster: Roster, emit: (output: Output) => void, partFragmentsMax: number) {
    this.#state = state
    this.#roster = roster
    this.#emit = emit
    this.#partFragmentsMax = partFragmentsMax
  }

  /** While an answer is under way no kill record may be forgotten (rule S3). */
  get isAnswering(): boolean {
    return this.#jobs.size > 0
  }

  linkDown(link: LinkId): void {
    this.#jobs.delete(link)
    this.#requests.delete(link)
  }

  tick(now: number): void {
    for (const job of this.#jobs.values()) {
      if (elapsedMs(job.progressAt, now) > STALLED_AFTER_MS) this.#jobs.delete(job.link)
    }
  }

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
