import { LimitError, NotReadyError } from '../../errors.js'
import type { Commit, CommitWrites, LoadAnswer, Stamp } from '../../replica/events.js'
import { valueBytes } from '../../replica/merge/register.js'
import { REPLICA_DEFAULTS } from '../../replica/options.js'
import { Replica } from '../../replica/replica.js'
import type { SessionState } from '../../replica/sessions/session-state.js'
import { foreignId, hashId, isUsableId, isWellFormed, keptHash } from '../../session/id.js'
import type { EndReason, SessionDelta, SessionId, SessionRecord, SessionRef } from '../../session/session.js'
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
  PortableSession,
  Rotated,
  SeenTokens,
  SessionBackend,
  SessionEvent,
} from '../backend.js'
import { birthsAfter } from '../births.js'
import { Fingerprint } from '../fingerprint.js'
import { encodeMerged } from '../merged-value.js'
import { countersOf } from './counters.js'
import { ACKS_DEFAULT, type ReplicatedOptions } from './options.js'
import { peersOf } from './peers.js'
import { fragmentOf, portableOf } from './portable.js'
import { ReplicaShell } from './shell.js'
import { writesOf } from './writes.js'

/** Values of one session together: a whole session must fit into one frame, with room for what others merge in. */
const SESSION_BYTES_MAX = 512 * 1024

/**
 * Sessions in memory, replicated to every peer. Knows how a request's words (ids, deltas, tokens) become the replica's
 * (hashes, events, stamps) and back; the shell does the rest.
 */
export class ReplicatedBackend implements SessionBackend {
  readonly type = 'replicated'
  readonly powers: BackendPowers
  readonly #options: ReplicatedOptions
  readonly #replica: Replica
  readonly #acks: NonNullable<ReplicatedOptions['acks']>
  readonly #listeners = new Set<(event: SessionEvent) => void>()
  readonly #shell: ReplicaShell
  readonly #counts = { saves: 0, unknown: 0 }

  constructor(options: ReplicatedOptions) {
    this.#options = options
    this.#acks = options.acks ?? ACKS_DEFAULT
    this.powers = { events: 'cluster', principals: true, stamps: options.stamps?.enabled !== false, merges: true }
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
    const { transport, log } = options
    this.#shell = new ReplicaShell({ replica: this.#replica, transport, now, log, tell: (event) => this.#tell(event) })
  }

  // ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────

  load(id: string, seen: SeenTokens | undefined, { deadline }: LoadOptions): Answer<LoadResult> {
    if (!isUsableId(id)) return { state: 'none', why: 'unknown' }
    const hash = hashId(id)
    const held = this.#replica.state.byId(hash)
    const origin = held === undefined && isWellFormed(id) ? this.#options.ids.parse(id) : null
    if (origin === undefined) return { state: 'none', why: this.#replica.state.formerly(hash) ?? 'unknown' }
    const stamp = held === undefined ? this.#claimOf(seen) : this.#stampOf(seen, held.birth)
    const lookup = { request: 0, id: hash, origin, deadline, stamp }
    const answer = this.#replica.lookup(lookup, this.#options.now())
    if (answer !== undefined) return this.#loaded(answer, stamp)
    return this.#shell.ask<LoadResult>({ type: 'load', ...lookup }, (output) => {
      if (output.type !== 'loaded') return { state: 'behind', retryAfterMs: 1_000 }
      // What was only claimed while the session was unknown is not sealed as if it had been proved.
      const { answer: late } = output
      const isProved = held !== undefined || (late.state === 'found' && this.#stampOf(seen, late.birth) !== undefined)
      return this.#loaded(late, stamp, isProved || stamp === undefined)
    })
  }

  read(ref: SessionRef): SessionRecord | undefined {
    this.#refuseWhileFenced()
    const session = this.#replica.state.live.get(ref)
    return session !== undefined && this.#isServable(session) ? session.record(encodeMerged) : undefined
  }

  create(delta: SessionDelta, options: CreateOptions): Answer<Created> {
    if (options.id === undefined) return this.#make(undefined, delta, options)
    const given = foreignId(options.id)
    const holder = this.#replica.state.byId(hashId(given))
    if (holder === undefined) return this.#make(given, delta, options)
    return this.#isServable(holder) ? inUse(given, holder.birth) : this.#makeUnlessUsed(given, delta, options)
  }

  /** Where the id names a session whose time is over here: on another node it may have been used since, so that is asked. */
  async #makeUnlessUsed(given: SessionId, delta: SessionDelta, options: CreateOptions): Promise<Created> {
    const deadline = this.#options.now() + (options.withinMs ?? this.#acks.withinMs)
    const found = await this.load(given, undefined, { deadline })
    if (found.state === 'found') return inUse(given, found.ref)
    if (found.state === 'behind') {
      throw new NotReadyError('whether another node still uses the session of this id is not known', found.retryAfterMs)
    }
    const holder = this.#replica.state.byId(hashId(given))
    if (holder !== undefined && this.#isServable(holder)) return inUse(given, holder.birth)
    if (holder !== undefined) void this.destroy(holder.birth, 'expired', { acks: 'async' })
    return await this.#make(given, delta, options)
  }

  #make(given: SessionId | undefined, delta: SessionDelta, options: CreateOptions): Answer<Created> {
    const max = this.#options.limits?.sessions ?? Infinity
    if (this.#replica.state.live.size >= max) {
      throw new LimitError(`this node holds ${max} sessions (limits.sessions), no new one is made`, 503)
    }
    const ref = this.#replica.nextDot
    const id = given ?? this.#options.ids.make(ref)
    const { maxIdleMs, maxLifeMs } = options
    const base = { createdAt: this.#options.now(), maxIdleMs, maxLifeMs }
    const commit: Commit = { type: 'create', id: keptHash(hashId(id)), base, writes: writesOf(delta, undefined) }
    // An id of ours says which birth the browser has seen: a stamp that lists no more is spared.
    const sealedFor = given === undefined ? undefined : ref
    return this.#commit(commit, sealedFor, options, 'write', (committed) => ({ ...committed, id, ref }))
  }

  save(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Answer<Committed> {
    this.#counts.saves++
    const kind = delta.principal === undefined ? 'write' : 'rotate'
    const commit: Commit = { type: 'write', birth: ref, writes: this.#writesOf(ref, delta) }
    return this.#commit(commit, ref, options, kind, (same) => same)
  }

  rotate(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Answer<Rotated> {
    const id: SessionId = this.#options.ids.make(this.#replica.nextDot)
    const commit: Commit = { type: 'rotate', birth: ref, id: keptHash(hashId(id)), writes: this.#writesOf(ref, delta) }
    return this.#commit<Rotated>(commit, ref, options, 'rotate', (committed) =>
      committed.outcome === 'gone' ? { outcome: 'gone' } : { ...committed, id },
    )
  }

  destroy(ref: SessionRef, reason: EndReason, options: CommitOptions): Answer<Committed> {
    return this.#commit({ type: 'kill', birth: ref, reason }, ref, options, 'kill', (same) => same)
  }

  touch(ref: SessionRef, at: number): void {
    this.#shell.step({ type: 'touch', birth: ref, at })
    this.#shell.flushSoon()
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

  async *exportAll(cursor?: string): AsyncGenerator<PortableSession> {
    for (const birth of birthsAfter(cursor, Array.from(this.#replica.state.live.values(), (held) => held.birth))) {
      const session = this.exportOne(birth)
      if (session !== undefined) yield session
    }
  }

  exportOne(ref: SessionRef): PortableSession | undefined {
    const session = this.#replica.state.live.get(ref)
    return session !== undefined && this.#isServable(session) ? portableOf(session.fragment()) : undefined
  }

  importOne(session: PortableSession): Answer<'imported' | 'known' | 'dead'> {
    const fragment = fragmentOf(session)
    return this.#shell.ask({ type: 'import', request: 0, fragment }, (output) =>
      output.type === 'imported' ? output.outcome : 'dead',
    )
  }

  digest(): string {
    const fingerprint = new Fingerprint()
    for (const { birth } of this.#replica.state.live.values()) {
      const session = this.exportOne(birth)
      if (session !== undefined) fingerprint.add(session)
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

  open(): Promise<void> {
    return this.#shell.open()
  }

  ready(): Promise<void> {
    return this.#shell.ready()
  }

  close(): Promise<void> {
    return this.#shell.close()
  }

  health(): BackendHealth {
    const { roster } = this.#replica
    const ready = roster.isReady && !this.#shell.isClosing
    return { ready, detail: this.#detail(ready), node: this.#options.node, peers: [...peersOf(roster), ...this.#shell.refusedPeers] }
  }

  #detail(ready: boolean): string {
    if (ready) return 'ready'
    if (this.#shell.isClosing) return 'leaving'
    if (this.#replica.roster.isFenced) return 'the clock of this node disagrees with most others'
    return 'joining: sessions of the peers are not complete here yet'
  }

  counters(): Readonly<Record<string, number>> {
    return { ...countersOf(this.#replica, this.#counts, this.#shell.counts), ...this.#options.transport.counters() }
  }

  // ── Between a request's words and the replica's ─────────────────────────────────────────────────────────────────

  #commit<T>(
    commit: Commit,
    birth: SessionRef | undefined,
    options: CommitOptions,
    kind: 'write' | 'kill' | 'rotate',
    read: (committed: Committed) => T,
  ): Answer<T> {
    this.#refuseWhileFenced()
    this.#refuseOversize(commit, birth)
    const concern = options.acks ?? this.#acks[kind]
    const deadline = this.#options.now() + (options.withinMs ?? this.#acks.withinMs)
    const stamp = birth === undefined ? undefined : this.#stampOf(options.seen, birth)
    const answer = this.#shell.ask<T>({ type: 'commit', request: 0, commit, concern, deadline, stamp }, (output) => {
      if (output.type !== 'committed') return read({ outcome: 'unknown' })
      if (output.outcome === 'refused') throw clockInDoubt()
      if (output.outcome === 'unknown') this.#counts.unknown++
      const seen = birth === undefined ? undefined : this.#tokensOf(output.stamp, stamp, birth, false)
      return read(seen === undefined ? { outcome: output.outcome } : { outcome: output.outcome, seen })
    })
    this.#shell.flushSoon()
    return answer
  }

  #loaded(answer: LoadAnswer, stamp: Stamp | undefined, isProved = true): LoadResult {
    if (answer.state === 'none') return answer
    const session = answer.state === 'found' ? this.#replica.state.live.get(answer.birth) : undefined
    if (answer.state === 'behind' || session === undefined) return { state: 'behind', retryAfterMs: 1_000 }
    const seen = isProved ? this.#tokensOf(answer.stamp, stamp, answer.birth, answer.stale) : undefined
    const found = { state: 'found', ref: answer.birth, session: session.record(encodeMerged) } as const
    if (seen === undefined && !answer.stale) return found
    return { ...found, ...(seen === undefined ? {} : { seen }), ...(answer.stale ? { stale: true } : {}) }
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

  #refuseWhileFenced(): void {
    if (this.#replica.roster.isFenced) throw clockInDoubt()
  }

  #writesOf(ref: SessionRef, delta: SessionDelta): CommitWrites {
    return writesOf(delta, this.#replica.state.live.get(ref))
  }

  /** What could not be sent to the peers is not taken from the application either. */
  #refuseOversize(commit: Commit, birth: SessionRef | undefined): void {
    if (!('writes' in commit)) return
    const held = birth === undefined ? undefined : this.#replica.state.live.get(birth)
    const bytes = commit.writes.reduce((sum, { value }) => sum + valueBytes(value), held?.bytes ?? 0)
    if (bytes <= SESSION_BYTES_MAX) return
    throw new LimitError(`the session would hold ${bytes} bytes (at most ${SESSION_BYTES_MAX} can be replicated)`)
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

function inUse(id: SessionId, ref: SessionRef): Created {
  return { outcome: 'gone', id, ref }
}

function clockInDoubt(): NotReadyError {
  return new NotReadyError('the clock of this node disagrees with most others: it neither serves nor writes', 1_000)
}
