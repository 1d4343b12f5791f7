import type { Dot, EndReason } from '../session/session.js'
import { DotMap } from './dot-map.js'
import { elapsedMs } from './elapsed.js'
import type { LinkId, Message, Output, Touch } from './events.js'
import type { Roster } from './roster.js'
import type { SessionState } from './sessions/session-state.js'
import type { ReplicaState } from './state.js'
import { TimeWheel } from './time-wheel.js'

/** Beyond the moment of expiry, before anybody is asked, milliseconds. */
const SLACK_MS = 200
/** A session that cannot be judged now (somebody is away, somebody else judges) is looked at again after this. */
const RETRY_MS = 5_000
/** An inquiry without all answers is given up, milliseconds. */
const PROBE_TIMEOUT_MS = 3_000
const PROBE_BIRTHS_MAX = 2_000
const TOUCHES_MAX = 4_000

interface Probe {
  /** Handles of the sessions. */
  readonly asked: DotMap<number>
  readonly open: Set<LinkId>
  readonly startedAt: number
}

/**
 * Last accesses and the end of sessions nobody uses. Nobody expires a session on its own knowledge: one node asks all
 * members for later accesses and ends the session only when every one answered that it is over. If somebody cannot
 * answer, the session stays: held, not served (lapsed).
 */
export class Expiry {
  readonly #state: ReplicaState
  readonly #roster: Roster
  readonly #emit: (output: Output) => void
  readonly #end: (birth: Dot, reason: EndReason) => void
  /** Of sessions nothing is kept here but handles: none would be let go otherwise before its time. */
  readonly #due = new TimeWheel<number>(100)
  readonly #lazy = new TimeWheel<number>(100)
  readonly #announcing = new Set<number>()
  readonly #urgent = new Set<number>()
  readonly #probes = new Map<number, Probe>()
  #queries = 0

  constructor(
    state: ReplicaState,
    roster: Roster,
    emit: (output: Output) => void,
    end: (birth: Dot, reason: EndReason) => void,
  ) {
    this.#state = state
    this.#roster = roster
    this.#emit = emit
    this.#end = end
  }

  /** Whether a touch should leave with the next flush. */
  get isUrgent(): boolean {
    return this.#urgent.size > 0
  }

  /** Starts to watch a session that became complete here. */
  watch(session: SessionState): void {
    this.#due.add(session.handle, session.expiresAt + SLACK_MS)
  }

  /**
   * Notes an access on this node. It is announced in a lazy batch, but with the next flush when peers know of nothing
   * younger than half the idle lifetime: so no reachable node's knowledge can deny a session in use.
   */
  touch(session: SessionState, at: number): void {
    if (at <= session.touchedAt) return
    session.touchedAt = at
    const { maxIdleMs } = session
    if (maxIdleMs === Infinity) return
    if (at - session.announcedAt > maxIdleMs / 2) {
      this.#urgent.add(session.handle)
    } else if (!this.#announcing.has(session.handle)) {
      this.#announcing.add(session.handle)
      this.#lazy.add(session.handle, at + lazyAfterMs(maxIdleMs))
    }
  }

  onTouches(entries: readonly Touch[]): void {
    for (const { birth, at } of entries) {
      const session = this.#state.live.get(birth)
      if (session === undefined) continue
      session.touch(at, this.#state.latestTouch)
      // Of an own later access the peers have not heard by this.
      session.announcedAt = Math.max(session.announcedAt, Math.min(at, this.#state.latestTouch))
    }
  }

  /** Sends the touches that must not wait. */
  flush(links: readonly LinkId[]): void {
    if (this.#urgent.size === 0) return
    this.#announce([...this.#urgent], links)
    this.#urgent.clear()
  }

  tick(now: number, links: readonly LinkId[]): void {
    const lazy = this.#lazy.take(now)
    for (const handle of lazy) this.#announcing.delete(handle)
    this.#announce(lazy, links)
    for (const [query, probe] of this.#probes) {
      if (elapsedMs(probe.startedAt, now) > PROBE_TIMEOUT_MS) this.#giveUp(query, probe, now)
    }
    this.#judge(this.#due.take(now), now)
  }

  /** Peers confirm our clock again. What was noted as later than now was noted by a clock that was wrong, ours or theirs. */
  clockMended(now: number): void {
    for (const session of this.#state.live.values()) session.touchedAt = Math.min(session.touchedAt, now)
    for (const handle of this.#due.takeAll()) {
      const session = this.#state.live.held(handle)
      if (session !== undefined) this.watch(session)
    }
  }

  linkDown(link: LinkId, now: number): void {
    for (const [query, probe] of this.#probes) if (probe.open.has(link)) this.#giveUp(query, probe, now)
  }

  // ── The inquiry ─────────────────────────────────────────────────────────────────────────────────────────────────

  #judge(candidates: readonly number[], now: number): void {
    const over: SessionState[] = []
    for (const handle of candidates) {
      const session = this.#state.live.held(handle)
      if (session === undefined) continue
      if (this.#roster.isFenced) {
        this.#due.add(session.handle, now + RETRY_MS)
        continue
      }
      if (session.expiresAt + SLACK_MS > now) this.watch(session)
      else if (this.#isReaper(session, now)) over.push(session)
      else this.#due.add(session.handle, now + RETRY_MS)
    }
    if (over.length === 0) return
    if (this.#roster.others().length === 0) {
      for (const session of over) this.#end(session.birth, 'expired')
      return
    }
    for (let i = 0; i < over.length; i += PROBE_BIRTHS_MAX) this.#probe(over.slice(i, i + PROBE_BIRTHS_MAX), now)
  }

  #probe(sessions: readonly SessionState[], now: number): void {
    const asked = new DotMap<number>()
    for (const { birth, handle } of sessions) asked.set(birth, handle)
    const links = this.#roster.reachable(now).map((peer) => peer.link)
    const query = ++this.#queries
    this.#probes.set(query, { asked, open: new Set(links), startedAt: now })
    const births = sessions.map((session) => ({ birth: session.birth, at: session.touchedAt }))
    this.#emit({ type: 'send', links, message: { type: 'probe', query, births } })
  }

  onProbe(link: LinkId, probe: Extract<Message, { type: 'probe' }>, now: number): void {
    const later: Touch[] = []
    const keep: Dot[] = []
    for (const { birth, at } of probe.births) {
      const session = this.#state.live.get(birth)
      if (!this.#roster.isReady) keep.push(birth)
      else if (session === undefined || now >= session.expiresAt) continue
      else if (session.touchedAt > at) later.push({ birth, at: session.touchedAt })
      else keep.push(birth)
    }
    this.#emit({ type: 'send', links: [link], message: { type: 'probe-reply', query: probe.query, later, keep } })
  }

  onProbeReply(link: LinkId, reply: Extract<Message, { type: 'probe-reply' }>, now: number): void {
    const probe = this.#probes.get(reply.query)
    if (probe === undefined || !probe.open.delete(link)) return
    this.onTouches(reply.later)
    for (const { birth } of reply.later) this.#spare(probe, birth, now)
    for (const birth of reply.keep) this.#spare(probe, birth, now)
    if (probe.open.size > 0) return
    this.#probes.delete(reply.query)
    for (const handle of probe.asked.values()) {
      const session = this.#state.live.held(handle)
      if (session === undefined) continue
      if (now >= session.expiresAt && this.#roster.reachesAll(now)) this.#end(session.birth, 'expired')
      else this.#due.add(session.handle, now + RETRY_MS)
    }
  }

  #spare(probe: Probe, birth: Dot, now: number): void {
    const handle = probe.asked.get(birth)
    if (handle === undefined) return
    probe.asked.delete(birth)
    const session = this.#state.live.held(handle)
    if (session === undefined) return
    this.#due.add(session.handle, Math.max(session.expiresAt + SLACK_MS, now + 1_000))
  }

  #giveUp(query: number, probe: Probe, now: number): void {
    this.#probes.delete(query)
    for (const handle of probe.asked.values()) this.#due.add(handle, now + RETRY_MS)
  }

  /** Of the nodes that reach every member, the first in rendezvous order judges a session (Thaler, Ravishankar 1998). */
  #isReaper(session: SessionState, now: number): boolean {
    if (!this.#roster.isReady || !this.#roster.reachesAll(now)) return false
    const self = this.#roster.options.self.actor
    const members = this.#roster.others().map((member) => member.actor)
    const own = weight(self, session.birth)
    return this.#roster.reachable(now).every((peer) => {
      const hears = peer.digest?.hears ?? []
      const couldJudge = peer.digest?.ready === true && members.every((actor) => hears.includes(actor)) && hears.includes(self)
      return !couldJudge || weight(peer.member.actor, session.birth) < own
    })
  }

  #announce(handles: readonly number[], links: readonly LinkId[]): void {
    const entries: Touch[] = []
    for (const handle of handles) {
      const session = this.#state.live.held(handle)
      if (session === undefined || session.touchedAt <= session.announcedAt) continue
      session.announcedAt = session.touchedAt
      entries.push({ birth: session.birth, at: session.touchedAt })
    }
    if (links.length === 0) return
    for (let i = 0; i < entries.length; i += TOUCHES_MAX) {
      const message: Message = { type: 'touches', entries: entries.slice(i, i + TOUCHES_MAX) }
      this.#emit({ type: 'send', links, message })
    }
  }
}

/** How long a touch may wait for its batch, milliseconds. */
export function lazyAfterMs(maxIdleMs: number): number {
  return Math.min(Math.max(maxIdleMs / 8, 200), 300_000)
}

/** Rendezvous weight: an integer mix of both parts; equal on every node. */
function weight(actor: number, birth: Dot): number {
  let hash = 0x811c9dc5
  for (const part of [actor, Math.floor(actor / 0x1_0000_0000), birth.actor, birth.counter]) {
    hash = Math.imul(hash ^ (part | 0), 0x01000193)
    hash ^= hash >>> 15
    hash = Math.imul(hash, 0x85ebca6b)
    hash ^= hash >>> 13
  }
  return hash >>> 0
}
