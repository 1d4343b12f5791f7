import type { Dot, EndReason } from '../session/session.js'
import { Accesses } from './accesses.js'
import type { Lookup } from './answers.js'
import { Commits } from './commits.js'
import { Concerns } from './concerns.js'
import { Departure } from './departure.js'
import { Duplicates } from './duplicates.js'
import type { Input, LinkId, LoadAnswer, Message, Output } from './events.js'
import { Expiry } from './expiry.js'
import { Conflicts } from './merge/conflicts.js'
import type { ReplicaOptions } from './options.js'
import { Outbox } from './outbox.js'
import type { Peer } from './peer.js'
import { Pulls } from './pulls.js'
import { Roster } from './roster.js'
import type { SessionState } from './sessions/session-state.js'
import { ReplicaState, type StateListener } from './state.js'
import { Sync } from './sync.js'
import { Transfers } from './transfers.js'

const DIGEST_EVERY_MS = 1_000
const FORGET_EVERY_MS = 5_000
/** A clock that goes back by more is not to be trusted for now, milliseconds. */
const CLOCK_BACK_MS = 1_000
/** An event loop late by more than this says nothing about the peers, milliseconds. */
const LAG_FORGIVEN_MS = 500

/**
 * One node's replica: state and one input in, outputs out. It sees no clock, dice, socket or promise; time is `now`
 * (milliseconds since 1970) and a tick about every 100 ms. Equal inputs give equal outputs.
 */
export class Replica {
  readonly state: ReplicaState
  readonly roster: Roster
  readonly sync: Sync
  readonly pulls: Pulls
  readonly #options: ReplicaOptions
  readonly #transfers: Transfers
  readonly #expiry: Expiry
  readonly #concerns: Concerns
  readonly #commits: Commits
  readonly #accesses: Accesses
  readonly #departure: Departure
  readonly #duplicates: Duplicates
  readonly #outbox = new Outbox()
  #outputs: Output[] = []
  #now: number
  /** By handle, and only while a request waits for one: a session that changed and then ended is the one that ended. */
  readonly #changed = new Map<number, SessionState>()
  #digestAt = -Infinity
  #forgetAt = -Infinity

  constructor(options: ReplicaOptions, now: number) {
    this.#options = options
    this.#now = now
    const emit = (output: Output): void => {
      this.#outputs.push(output)
    }
    const listener: StateListener = {
      changed: (session, what) => {
        if (what === 'created') this.#expiry.watch(session)
        this.#noteChange(session)
        const local = this.#commits.isApplying
        if (what === 'created' && !local) this.#duplicates.came()
        emit({ type: 'changed', what, birth: session.birth, local })
      },
      ended: (session, reason) => {
        this.#noteChange(session)
        const local = this.#commits.isApplying
        this.#duplicates.ended(session, reason, local)
        emit({ type: 'ended', birth: session.birth, reason, local })
      },
    }
    const { node, actor, startedAt } = options
    this.state = new ReplicaState(listener, options.warmSessionsMax, new Conflicts(actor), actor)
    this.roster = new Roster({ ...options, self: { node, actor, startedAt, state: 'joining' } }, now)
    this.sync = new Sync(this.state, this.roster, emit)
    this.#transfers = new Transfers(this.state, this.roster, emit, options.partFragmentsMax)
    this.pulls = new Pulls(this.state, this.roster, options, emit)
    this.#concerns = new Concerns(this.roster, emit)
    this.#commits = new Commits(this.state, this.roster, this.#outbox, this.#concerns, emit, options)
    const kill = (birth: Dot, reason: EndReason): void => this.#commits.kill(birth, reason, this.#now)
    this.#expiry = new Expiry(this.state, this.roster, emit, kill)
    this.#duplicates = new Duplicates(this.state, this.roster, kill)
    this.#accesses = new Accesses(this.state, this.roster, this.#expiry)
    this.#departure = new Departure(this.roster, this.#commits, this.#outbox, emit)
  }

  /** The dot that the next commit gets: what a new id is made of. */
  get nextDot(): Dot {
    return this.#commits.nextDot
  }

  /** Whether a `flush` would send something. */
  get hasUnsent(): boolean {
    return this.#outbox.unsent > 0 || this.#expiry.isUrgent
  }

  /**
   * What the input `load` would be answered at once, without making it one: nearly every request of a cluster asks this
   * and nothing else. Undefined: it would have to wait for peers.
   */
  lookup(lookup: Lookup, now: number): LoadAnswer | undefined {
    this.#observe(now)
    return this.pulls.answerNow(lookup, now)
  }

  /** The only door. `now` may jump; nothing but lifetimes and timeouts depends on it. */
  handle(input: Input, now: number): readonly Output[] {
    this.#observe(now)
    this.#outputs = []
    this.#dispatch(input)
    this.#duplicates.settle()
    for (const session of this.#changed.values()) this.pulls.changed(session, now)
    this.#changed.clear()
    if (input.type === 'message' || input.type === 'tick' || input.type === 'link-down') this.#review()
    return this.#outputs
  }

  #observe(now: number): void {
    const jump = now - this.#now
    if (jump < -CLOCK_BACK_MS || jump > this.#options.maxSkewMs) {
      this.roster.suspectClock()
      this.roster.forgive(jump)
    }
    this.#now = now
    // Our own clock is the wrong one while most peers disagree with it.
    this.state.latestTouch = this.roster.isFenced ? Infinity : now
  }

  #noteChange(session: SessionState): void {
    if (this.pulls.isAsking) this.#changed.set(session.handle, session)
  }

  #dispatch(input: Input): void {
    const now = this.#now
    switch (input.type) {
      case 'commit':
        if (this.roster.isFenced) {
          this.#outputs.push({ type: 'committed', request: input.request, outcome: 'refused' })
          return
        }
        if (input.commit.type === 'create') this.#duplicates.makesRoom(input.commit.id)
        if (!this.#commits.commit(input, now)) {
          this.#outputs.push({ type: 'committed', request: input.request, outcome: 'gone' })
        }
        return
      case 'load':
        return this.pulls.load(input, now)
      case 'touch':
        return this.#accesses.touch(input.birth, Math.min(input.at, now))
      case 'link-up':
        return this.#linkUp(this.roster.linkUp(input.link, input.member, input.dialled, now))
      case 'link-down':
        this.roster.linkDown(input.link)
        this.sync.linkDown(input.link, now)
        this.#transfers.linkDown(input.link)
        this.pulls.linkDown(input.link, now)
        this.#expiry.linkDown(input.link, now)
        return
      case 'link-stale':
        return this.#setPhase(input.link, 'stale')
      case 'link-drained':
        this.#setPhase(input.link, 'catching-up')
        return this.#sendDigest([input.link])
      case 'unreachable':
        if (input.refused) this.roster.refused(input.address)
        return
      case 'message': {
        const peer = this.roster.peers.get(input.link)
        if (peer !== undefined) this.#message(peer, input.message)
        return
      }
      case 'flush':
        return this.#flush()
      case 'tick':
        return this.#tick(input.lagMs)
      case 'drain':
        this.#departure.begin(input.deadline)
        this.#flush()
        this.#departure.askForConfirmation()
        return this.#departure.review(now)
      case 'import': {
        const known = this.state.live.get(input.fragment.birth)
        const version = known?.version
        const alive = this.state.merge(input.fragment, now)
        const outcome = !alive ? 'dead' : known !== undefined && known.version === version ? 'known' : 'imported'
        this.#outputs.push({ type: 'imported', request: input.request, outcome })
      }
    }
  }

  // ── Links and messages ──────────────────────────────────────────────────────────────────────────────────────────

  #linkUp(peer: Peer): void {
    this.#sendDigest([peer.link])
    this.#send([peer.link], { type: 'roster', members: this.roster.members() })
  }

  #setPhase(link: LinkId, phase: Peer['phase']): void {
    const peer = this.roster.peers.get(link)
    if (peer !== undefined) peer.phase = phase
  }

  #message(peer: Peer, message: Message): void {
    const { link } = peer
    const now = this.#now
    this.roster.heard(peer, now)
    switch (message.type) {
      case 'delta':
        return this.#delta(peer, message)
      case 'ack':
        return peer.row.join(message.context)
      case 'digest':
        this.roster.digest(peer, message, now)
        if (peer.phase === 'catching-up') this.#catchUp(peer)
        if (!this.roster.isCaughtUp && !this.state.context.covers(message.context)) this.sync.want(link, now)
        return
      case 'roster': {
        const news = message.members.filter((member) => this.roster.meet(member, now))
        const others = [...this.roster.peers.keys()].filter((other) => other !== link)
        if (news.length > 0) this.#send(others, { type: 'roster', members: news })
        return
      }
      case 'sync-request':
        return this.#transfers.onRequest(link, message, now)
      case 'sync-part':
        return this.sync.onPart(link, message, now)
      case 'sync-end':
        return this.sync.onEnd(link, message, now)
      case 'sync-credit':
        return this.#transfers.onCredit(link, message, now)
      case 'pull':
        return this.pulls.onPull(link, message)
      case 'pull-reply':
        return this.pulls.onReply(link, message, now)
      case 'touches':
        return this.#expiry.onTouches(message.entries)
      case 'probe':
        return this.#expiry.onProbe(link, message, now)
      case 'probe-reply':
        return this.#expiry.onProbeReply(link, message, now)
      case 'leave':
        this.roster.meet({ ...peer.member, state: 'left' }, now)
    }
  }

  /** Live events of the peer's own, in order; a gap means that some were lost, which a round repairs. */
  #delta(peer: Peer, { events, ack }: Extract<Message, { type: 'delta' }>): void {
    const { actor } = peer.member
    for (const event of events) {
      if (event.dot.actor !== actor) {
        this.#outputs.push({ type: 'quarantine', link: peer.link, rule: 'foreign-event' })
        return
      }
      this.#duplicates.hears(event)
      if (this.state.apply(event, this.#now) === 'gap') {
        this.sync.want(peer.link, this.#now)
        return
      }
    }
    const base = this.state.context.base(actor)
    peer.row.addUpTo(actor, base)
    if (ack) this.#send([peer.link], { type: 'ack', context: [{ actor, base, extra: [] }] })
  }

  /** Sends what the peer lacks of our own events, as far as the log reaches back, and from then on every event. */
  #catchUp(peer: Peer): void {
    const has = peer.row.base(this.#options.actor)
    const deltas = has < this.#commits.counter ? (this.#outbox.since(has) ?? []) : []
    for (const events of deltas) this.#send([peer.link], { type: 'delta', events, ack: this.#concerns.size > 0 })
    peer.phase = 'live'
  }

  // ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #tick(lagMs: number): void {
    const now = this.#now
    // Beyond the tolerated skew it was noticed as a jump, with the first input after it.
    if (lagMs > LAG_FORGIVEN_MS && lagMs <= this.#options.maxSkewMs) this.roster.forgive(lagMs)
    if (this.roster.tick(now)) this.#expiry.clockMended(now)
    this.#accesses.tick(now)
    if (Math.abs(now - this.#digestAt) >= DIGEST_EVERY_MS) {
      this.#digestAt = now
      this.#sendDigest(this.#links((peer) => peer.phase !== 'stale'), Math.max(0, lagMs))
    }
    this.sync.tick(now)
    this.#transfers.tick(now)
    this.pulls.tick(now)
    this.#expiry.tick(now, this.#links((peer) => peer.phase === 'live'))
    this.#duplicates.tick(now)
    if (this.state.revoked.size > 0 && this.roster.isReady) {
      for (const birth of this.state.live.births(this.state.revoked)) this.#commits.kill(birth, 'logged-out', now)
    }
    if (Math.abs(now - this.#forgetAt) >= FORGET_EVERY_MS) this.#forget()
    this.#flush()
  }

  #forget(): void {
    this.state.forgetFormerIds(this.#now - this.#options.rotatedKeptMs)
    // Rule S3; tried again with every tick, or a node that always answers somebody would keep them all.
    if (this.#transfers.isAnswering) return
    this.#forgetAt = this.#now
    this.state.forgetKills(this.#now - this.#options.killsKeptMs, this.#options.killsMax)
  }

  /** What may have become true by this input: readiness, confirmations, the end of a drain. */
  #review(): void {
    if (this.roster.judgeReady(this.state.context)) this.#outputs.push({ type: 'ready' })
    if (this.#concerns.size > 0) this.#concerns.settle(this.#now)
    this.#departure.review(this.#now)
  }

  #flush(): void {
    if (!this.hasUnsent) return
    const links = this.#links((peer) => peer.phase === 'live')
    if (this.#outbox.unsent > 0) {
      const { deltas, awaited } = this.#outbox.take()
      const ack = awaited || this.#departure.isUnderWay
      deltas.forEach((events, i) => this.#send(links, { type: 'delta', events, ack: ack && i === deltas.length - 1 }))
    }
    this.#expiry.flush(links)
  }

  #sendDigest(links: readonly LinkId[], lagMs = 0): void {
    const hears = [this.#options.actor, ...this.roster.reachable(this.#now).map((peer) => peer.member.actor)]
    const context = this.state.context.entries()
    const ready = this.roster.isReady
    this.#send(links, { type: 'digest', context, ready, hears, lagMs, wallMs: this.#now })
  }

  #links(which: (peer: Peer) => boolean): readonly LinkId[] {
    const links: LinkId[] = []
    for (const peer of this.roster.peers.values()) if (which(peer)) links.push(peer.link)
    return links
  }

  #send(links: readonly LinkId[], message: Message): void {
    if (links.length > 0) this.#outputs.push({ type: 'send', links, message })
  }
}
