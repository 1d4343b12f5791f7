import type { Dot } from '../session/session.js'
import { Context } from './context.js'
import { DotMap } from './dot-map.js'
import { elapsedMs } from './elapsed.js'
import type { Kill, LinkId, Message, Output } from './events.js'
import type { Peer } from './peer.js'
import type { Roster } from './roster.js'
import type { ReplicaState } from './state.js'
import { STALLED_AFTER_MS } from './transfers.js'

type Part = Extract<Message, { type: 'sync-part' }>
type End = Extract<Message, { type: 'sync-end' }>

/** A peer known to have more than we for longer is asked; before, the event is probably on its way, milliseconds. */
const BEHIND_FOR_MS = 250
/** Two rounds with one peer start at least this far apart, milliseconds. */
const ROUND_GAP_MS = 50

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

/**
 * Anti-entropy and state transfer in one mechanism (rules S1-S7): a round asks one peer for everything it has and we
 * lack. The answer streams in parts while traffic goes on; what the peer's context claims is believed only when every
 * part of one and the same answer has arrived.
 */
export class Sync {
  readonly #state: ReplicaState
  readonly #roster: Roster
  readonly #emit: (output: Output) => void
  readonly #wanted = new Set<LinkId>()
  /** The digest of each peer that is known to be covered: a context only grows, so it stays covered. */
  readonly #covered = new Map<LinkId, Peer['digest']>()
  readonly #behindSince = new Map<LinkId, number>()
  readonly #startedAt = new Map<LinkId, number>()
  #round: Round | undefined = undefined
  #rounds = 0
  #completed = 0

  constructor(state: ReplicaState, roster: Roster, emit: (output: Output) => void) {
    this.#state = state
    this.#roster = roster
    this.#emit = emit
  }

  /** Rounds that went to their end. */
  get completed(): number {
    return this.#completed
  }

  /** Asks the peer as soon as no other round is open: it is known to have what we lack. */
  want(link: LinkId, now: number): void {
    this.#wanted.add(link)
    this.#startNext(now)
  }

  linkDown(link: LinkId, now: number): void {
    this.#wanted.delete(link)
    this.#covered.delete(link)
    this.#behindSince.delete(link)
    this.#startedAt.delete(link)
    if (this.#round?.link === link) this.#round = undefined
    this.#startNext(now)
  }

  tick(now: number): void {
    const round = this.#round
    if (round !== undefined && elapsedMs(round.progressAt, now) > STALLED_AFTER_MS) this.#round = undefined
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

  // ── What the peer answers ───────────────────────────────────────────────────────────────────────────────────────

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
}
