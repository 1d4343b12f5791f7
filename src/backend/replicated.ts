import { deferred } from '../deferred.js'
import { BackendError, HandshakeError, LimitError, NotReadyError, ProtocolError } from '../errors.js'
import type { Log } from '../log.js'
import type { Commit, Concern, Input, Output, RegisterWrite, Stamp } from '../replica/events.js'
import { Reserved } from '../replica/events.js'
import { Replica, REPLICA_DEFAULTS } from '../replica/replica.js'
import type { SessionState } from '../replica/session-state.js'
import { hashId, isWellFormed, type IdCodec } from '../session/id.js'
import type { EndReason, NodeId, SessionDelta, SessionId, SessionRef } from '../session/session.js'
import { decodeMessage, encodeMessage } from '../transport/codec.js'
import type { LinkId, PeerInfo, Transport, TransportEvents } from '../transport/transport.js'
import type {
  Answer,
  BackendHealth,
  BackendPowers,
  CommitOptions,
  Committed,
  Created,
  CreateOptions,
  LoadOptions,
  LoadResult,
  PeerHealth,
  PortableSession,
  Rotated,
  SeenTokens,
  SessionBackend,
  SessionEvent,
} from './backend.js'
import { Fingerprint } from './fingerprint.js'
import { fragmentOf, portableOf } from './portable.js'
import type { SeenSealer } from './seen.js'

export interface ReplicatedOptions {
  readonly node: NodeId
  /** Random 53-bit integer, new at every start. */
  readonly actor: number
  readonly startedAt: number
  readonly transport: Transport
  /** `host:port` of every configured peer; our own address among them is ignored. */
  readonly peers: readonly string[]
  readonly ids: IdCodec
  readonly seals: SeenSealer
  readonly now: () => number
  readonly log: Log
  /** How long a configured peer may be silent before we are ready without it, milliseconds. */
  readonly bootstrapTimeoutMs?: number
  readonly stamps?: {
    /** Longest wait for what a browser has seen, milliseconds. */
    readonly waitMs: number
    readonly onStale: 'serve' | '503'
    readonly onLost: 'accept' | 'error' | 'fresh'
    /** false: tokens are neither made nor honoured. */
    readonly enabled?: boolean
  }
  readonly acks?: {
    readonly write: Concern
    readonly kill: Concern
    readonly rotate: Concern
    /** Milliseconds until a wait for confirmations ends as `unknown`. */
    readonly withinMs: number
  }
  readonly limits?: { readonly sessions: number }
}

const TICK_MS = 100
const DRAIN_MS = 3_000
/** A node that its own cluster refuses for its name gives up after this, milliseconds. */
const NAME_REFUSED_MS = 5_000
const ACKS_DEFAULT = { write: 'async', kill: 'all', rotate: 'all', withinMs: 250 } as const

/**
 * The shell around one replica: performs what it decides. Inputs come from requests, from links, and from one interval;
 * sends go to the transport, answers to the request that waits for them. It decides nothing itself.
 */
export class ReplicatedBackend implements SessionBackend {
  readonly type = 'replicated'
  readonly powers: BackendPowers
  readonly #options: ReplicatedOptions
  readonly #replica: Replica
  readonly #acks: NonNullable<ReplicatedOptions['acks']>
  readonly #listeners = new Set<(event: SessionEvent) => void>()
  readonly #waiting = new Map<number, (output: Output) => void>()
  readonly #refused = new Map<string, { rule: string; detail: string; since: number }>()
  readonly #counts = { saves: 0, unknown: 0, frames: 0, badFrames: 0, quarantined: 0 }
  readonly #readiness = deferred<void>()
  #ticker: NodeJS.Timeout | undefined = undefined
  #tickedAt = 0
  #requests = 0
  #flushScheduled = false
  #closing: Promise<void> | undefined = undefined
  #onDrained: (() => void) | undefined = undefined

  constructor(options: ReplicatedOptions) {
    this.#options = options
    this.#acks = options.acks ?? ACKS_DEFAULT
    this.powers = { events: 'cluster', principals: true, stamps: options.stamps?.enabled !== false }
    const { node, actor, startedAt, now } = options
    this.#replica = new Replica(
      {
        ...REPLICA_DEFAULTS,
        ...options.stamps,
        node,
        actor,
        startedAt,
        peers: options.peers.filter((peer) => peer !== options.transport.address),
        bootstrapTimeoutMs: options.bootstrapTimeoutMs ?? REPLICA_DEFAULTS.bootstrapTimeoutMs,
      },
      now(),
    )
    // Nobody may be listening when it is rejected: whoever calls ready() gets it.
    this.#readiness.promise.catch(() => {})
  }

  // ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────

  load(id: string, seen: SeenTokens | undefined, { deadline }: LoadOptions): Answer<LoadResult> {
    if (!isWellFormed(id)) return { state: 'none', why: 'unknown' }
    const hash = hashId(id)
    const held = this.#replica.state.byId(hash)
    const origin = held === undefined ? this.#options.ids.parse(id) : null
    if (origin === undefined) return { state: 'none', why: 'unknown' }
    const stamp = held === undefined ? this.#claimOf(seen) : this.#stampOf(seen, held.birth)
    return this.#ask<LoadResult>({ type: 'load', request: 0, id: hash, origin, deadline, stamp }, (output) =>
      this.#loaded(output, stamp, seen),
    )
  }

  create(delta: SessionDelta, options: CreateOptions): Answer<Created> {
    const max = this.#options.limits?.sessions ?? Infinity
    if (this.#replica.state.live.size >= max) {
      throw new LimitError(`this node holds ${max} sessions (limits.sessions), no new one is made`, 503)
    }
    const ref = this.#replica.nextDot
    const id = this.#options.ids.make(ref)
    const { maxIdleMs, maxLifeMs } = options
    const base = { createdAt: this.#options.now(), maxIdleMs, maxLifeMs }
    const commit: Commit = { type: 'create', id: hashId(id), base, writes: writesOf(delta) }
    return this.#commit(commit, ref, options, 'write', (committed) => ({ ...committed, id, ref }))
  }

  save(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Answer<Committed> {
    this.#counts.saves++
    const kind = delta.principal === undefined ? 'write' : 'rotate'
    return this.#commit({ type: 'write', birth: ref, writes: writesOf(delta) }, ref, options, kind, (same) => same)
  }

  rotate(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Answer<Rotated> {
    const id: SessionId = this.#options.ids.make(this.#replica.nextDot)
    const commit: Commit = { type: 'rotate', birth: ref, id: hashId(id), writes: writesOf(delta) }
    return this.#commit<Rotated>(commit, ref, options, 'rotate', (committed) =>
      committed.outcome === 'gone' ? { outcome: 'gone' } : { ...committed, id },
    )
  }

  destroy(ref: SessionRef, reason: EndReason, options: CommitOptions): Answer<Committed> {
    return this.#commit({ type: 'kill', birth: ref, reason }, ref, options, 'kill', (same) => same)
  }

  touch(ref: SessionRef, at: number): void {
    this.#step({ type: 'touch', birth: ref, at })
    this.#flushSoon()
  }

  find(principal: string): readonly SessionRef[] {
    const sessions = this.#replica.state.byPrincipal(principal).filter((session) => this.#isServable(session))
    return sessions.map((session) => session.birth)
  }

  revoke(principal: string, options: CommitOptions): Answer<Committed & { readonly sessions: number }> {
    const sessions = this.find(principal).length
    return this.#commit({ type: 'revoke', principal }, undefined, options, 'kill', (same) => ({ ...same, sessions }))
  }

  // ── The whole ───────────────────────────────────────────────────────────────────────────────────────────────────

  async *exportAll(): AsyncGenerator<PortableSession> {
    for (const session of [...this.#replica.state.live.values()]) {
      if (this.#isServable(session)) yield portableOf(session.fragment())
    }
  }

  importOne(session: PortableSession): Answer<'imported' | 'known' | 'dead'> {
    const fragment = fragmentOf(session)
    return this.#ask({ type: 'import', request: 0, fragment }, (output) =>
      output.type === 'imported' ? output.outcome : 'dead',
    )
  }

  digest(): string {
    const fingerprint = new Fingerprint()
    for (const session of this.#replica.state.live.values()) {
      if (this.#isServable(session)) fingerprint.add(portableOf(session.fragment()))
    }
    return fingerprint.toString()
  }

  size(): { readonly sessions: number; readonly bytes: number } {
    return { sessions: this.#replica.state.live.size, bytes: this.#replica.state.bytes }
  }

  subscribe(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  // ── Life ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async open(): Promise<void> {
    await this.#options.transport.open(this.#transportEvents())
    // Our own address is known only now; whoever configured it among the peers does not wait for itself.
    this.#step({ type: 'unreachable', address: this.#options.transport.address, refused: true })
    this.#tickedAt = this.#options.now()
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
    this.#tick()
  }

  ready(): Promise<void> {
    return this.#readiness.promise
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#ticker !== undefined) {
      const drained = deferred<void>()
      this.#onDrained = drained.resolve
      this.#step({ type: 'drain', deadline: this.#options.now() + DRAIN_MS })
      await drained.promise
      clearInterval(this.#ticker)
    }
    await this.#options.transport.close()
    const error = new BackendError('the node was closed')
    this.#readiness.reject(error)
    for (const [request, answer] of this.#waiting) answer({ type: 'committed', request, outcome: 'unknown' })
    this.#waiting.clear()
  }

  health(): BackendHealth {
    const { roster } = this.#replica
    const ready = roster.isReady && this.#closing === undefined
    const up = [...roster.peers.values()].map(
      (peer): PeerHealth => ({ node: peer.member.node, address: '', state: 'up' }),
    )
    const away = roster
      .others()
      .filter((member) => roster.peerOf(member.actor) === undefined)
      .map((member): PeerHealth => ({ node: member.node, address: '', state: 'down' }))
    const refused = [...this.#refused].map(
      ([address, { rule, detail }]): PeerHealth => ({ node: '', address, state: 'refused', detail: `${rule}: ${detail}` }),
    )
    return { ready, detail: this.#detail(ready), node: this.#options.node, peers: [...up, ...away, ...refused] }
  }

  #detail(ready: boolean): string {
    if (ready) return 'ready'
    if (this.#closing !== undefined) return 'leaving'
    if (this.#replica.roster.isFenced) return 'the clock of this node disagrees with most others'
    return 'joining: sessions of the peers are not complete here yet'
  }

  counters(): Readonly<Record<string, number>> {
    const { state, roster, sync, pulls } = this.#replica
    return {
      session_mesh_sessions: state.live.size,
      session_mesh_session_bytes: state.bytes,
      session_mesh_kill_records: state.kills.size,
      session_mesh_peers_up: roster.peers.size,
      session_mesh_members: roster.others().length + 1,
      session_mesh_ready: roster.isReady ? 1 : 0,
      session_mesh_saves_total: this.#counts.saves,
      session_mesh_outcome_unknown_total: this.#counts.unknown,
      session_mesh_sync_rounds_total: sync.completed,
      session_mesh_read_waits_total: pulls.counts.waits,
      session_mesh_stale_served_total: pulls.counts.staleServed,
      session_mesh_stale_refused_total: pulls.counts.staleRefused,
      session_mesh_lost_writes_seen_total: pulls.counts.lost,
      session_mesh_bad_frames_total: this.#counts.badFrames,
      session_mesh_quarantined_links_total: this.#counts.quarantined,
      ...this.#options.transport.counters(),
    }
  }

  // ── The shell ───────────────────────────────────────────────────────────────────────────────────────────────────

  #transportEvents(): TransportEvents {
    return {
      admit: () => undefined,
      up: (link, peer) => this.#linkUp(link, peer),
      down: (link, reason) => {
        this.#options.log('info', 'link-down', { link, reason })
        this.#step({ type: 'link-down', link })
      },
      frame: (link, bytes) => this.#frame(link, bytes),
      stale: (link) => this.#step({ type: 'link-stale', link }),
      drained: (link) => this.#step({ type: 'link-drained', link }),
      unreachable: (address, rule, detail) => this.#unreachable(address, rule, detail),
    }
  }

  #linkUp(link: LinkId, { node, actor, startedAt, dialled, address }: PeerInfo): void {
    this.#options.log('info', 'link-up', { link, peer: node, address })
    this.#refused.delete(dialled ?? address)
    const member = { node, actor, startedAt, state: 'joining' } as const
    this.#step({ type: 'link-up', link, member, dialled: dialled ?? address })
  }

  #unreachable(address: string, rule: string, detail: string): void {
    const refused = rule !== 'unreachable'
    this.#step({ type: 'unreachable', address, refused })
    if (!refused || rule === 'self' || rule === 'duplicate-link') return
    const now = this.#options.now()
    const known = this.#refused.get(address)
    if (known?.rule !== rule) {
      this.#refused.set(address, { rule, detail, since: now })
      this.#options.log('error', 'refused-by-peer', { address, rule, detail })
    } else if (rule === 'name-in-use' && now - known.since > NAME_REFUSED_MS) {
      this.#readiness.reject(new HandshakeError(rule, `${address} refuses this node: ${detail}`))
    }
  }

  #frame(link: LinkId, bytes: Uint8Array): void {
    try {
      this.#counts.frames++
      const message = decodeMessage(bytes)
      if (message !== undefined) this.#step({ type: 'message', link, message })
    } catch (error) {
      const isForeign = error instanceof ProtocolError
      this.#counts.badFrames++
      this.#options.log(isForeign ? 'warn' : 'error', 'bad-frame', {
        link,
        rule: isForeign ? error.rule : 'handler',
        message: error instanceof Error ? error.message : 'unknown',
      })
      this.#options.transport.drop(link, isForeign ? error.closeCode : 1011, isForeign ? error.rule : 'internal error')
    }
  }

  #tick(): void {
    const now = this.#options.now()
    const lagMs = now - this.#tickedAt - TICK_MS
    this.#tickedAt = now
    this.#step({ type: 'tick', lagMs })
  }

  /** One input, and everything that follows from it. */
  #step(input: Input): void {
    for (const output of this.#replica.handle(input, this.#options.now())) this.#perform(output)
  }

  #perform(output: Output): void {
    switch (output.type) {
      case 'send': {
        const bytes = encodeMessage(output.message)
        for (const link of output.links) this.#options.transport.send(link, bytes)
        return
      }
      case 'loaded':
      case 'committed':
      case 'imported': {
        const answer = this.#waiting.get(output.request)
        this.#waiting.delete(output.request)
        answer?.(output)
        return
      }
      case 'changed':
        this.#tell({ type: output.what, ref: output.birth, local: output.local })
        return
      case 'ended': {
        const { birth: ref, reason, local } = output
        this.#tell({ type: reason === 'expired' ? 'expired' : 'destroyed', ref, reason, local })
        return
      }
      case 'ready':
        this.#options.log('info', 'ready', { sessions: this.#replica.state.live.size })
        this.#readiness.resolve()
        return
      case 'drained':
        this.#onDrained?.()
        return
      case 'quarantine':
        this.#counts.quarantined++
        this.#options.log('warn', 'peer-misbehaves', { link: output.link, rule: output.rule })
        this.#options.transport.drop(output.link, 1008, output.rule)
    }
  }

  /** Puts a question to the replica: the answer itself when it is there at once, else a promise of it. */
  #ask<T>(input: Extract<Input, { request: number }>, read: (output: Output) => T): Answer<T> {
    const request = ++this.#requests
    let answer: { readonly value: T } | undefined
    let resolve: ((value: T) => void) | undefined
    this.#waiting.set(request, (output) => {
      const value = read(output)
      if (resolve === undefined) answer = { value }
      else resolve(value)
    })
    this.#step({ ...input, request })
    if (answer !== undefined) return answer.value
    return new Promise<T>((settle) => {
      resolve = settle
    })
  }

  #commit<T>(
    commit: Commit,
    birth: SessionRef | undefined,
    options: CommitOptions,
    kind: 'write' | 'kill' | 'rotate',
    read: (committed: Committed) => T,
  ): Answer<T> {
    if (this.#replica.roster.isFenced) {
      throw new NotReadyError('the clock of this node disagrees with most others: it neither serves nor writes', 1_000)
    }
    const concern = options.acks ?? this.#acks[kind]
    const deadline = this.#options.now() + (options.withinMs ?? this.#acks.withinMs)
    const stamp = birth === undefined ? undefined : this.#stampOf(options.seen, birth)
    const answer = this.#ask<T>({ type: 'commit', request: 0, commit, concern, deadline, stamp }, (output) => {
      if (output.type !== 'committed') return read({ outcome: 'unknown' })
      if (output.outcome === 'unknown') this.#counts.unknown++
      const seen = birth === undefined ? undefined : this.#tokensOf(output.stamp, stamp, birth, false)
      return read(seen === undefined ? { outcome: output.outcome } : { outcome: output.outcome, seen })
    })
    this.#flushSoon()
    return answer
  }

  /**
   * The first event of a turn leaves at once, usually before the response does; those that follow within the same turn
   * of the event loop leave together at its end.
   */
  #flushSoon(): void {
    if (this.#flushScheduled || !this.#replica.hasUnsent) return
    this.#flushScheduled = true
    this.#step({ type: 'flush' })
    setImmediate(() => {
      this.#flushScheduled = false
      if (this.#replica.hasUnsent) this.#flushSoon()
    })
  }

  #loaded(output: Output, stamp: Stamp | undefined, tokens: SeenTokens | undefined): LoadResult {
    if (output.type !== 'loaded') return { state: 'behind', retryAfterMs: 1_000 }
    const { answer } = output
    if (answer.state === 'none') return answer
    const session = answer.state === 'found' ? this.#replica.state.live.get(answer.birth) : undefined
    if (answer.state === 'behind' || session === undefined) return { state: 'behind', retryAfterMs: 1_000 }
    // What was only claimed while the session was unknown is not sealed as if it had been proved.
    const isProved = stamp === undefined || this.#stampOf(tokens, answer.birth) !== undefined
    const seen = isProved ? this.#tokensOf(answer.stamp, stamp, answer.birth, answer.stale) : undefined
    return {
      state: 'found',
      ref: answer.birth,
      session: session.record(),
      ...(seen === undefined ? {} : { seen }),
      ...(answer.stale ? { stale: true } : {}),
    }
  }

  #stampOf(seen: SeenTokens | undefined, birth: SessionRef): Stamp | undefined {
    return seen === undefined || !this.powers.stamps ? undefined : this.#options.seals.open(seen, birth)
  }

  #claimOf(seen: SeenTokens | undefined): Stamp | undefined {
    return seen === undefined || !this.powers.stamps ? undefined : this.#options.seals.claim(seen)
  }

  #tokensOf(
    after: Stamp | undefined,
    before: Stamp | undefined,
    birth: SessionRef,
    lost: boolean,
  ): SeenTokens | undefined {
    if (after === undefined || !this.powers.stamps) return undefined
    if (after.dots.length === 0 && !lost) return undefined
    return this.#options.seals.seal(after, before, birth, lost)
  }

  #isServable(session: SessionState): boolean {
    return session.isComplete && this.#options.now() < session.expiresAt && !this.#replica.state.isRevoked(session)
  }

  #tell(event: SessionEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        this.#options.log('error', 'listener-threw', { message: error instanceof Error ? error.message : 'unknown' })
      }
    }
  }
}

/** A request's delta as registers: attributes, and the reserved ones for principal and lifetime. */
function writesOf({ writes, principal, maxIdleMs }: SessionDelta): readonly RegisterWrite[] {
  if (principal === undefined && maxIdleMs === undefined) return writes
  const all: RegisterWrite[] = [...writes]
  if (principal !== undefined) all.push({ name: Reserved.principal, kind: 0, value: principal })
  if (maxIdleMs !== undefined) all.push({ name: Reserved.maxIdleMs, kind: 0, value: maxIdleMs })
  return all
}
