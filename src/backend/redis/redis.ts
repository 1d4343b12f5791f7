import { LimitError } from '../../errors.js'
import type { Log } from '../../log.js'
import { foreignId, hashId, isUsableId, type IdCodec } from '../../session/id.js'
import type { EndReason, IdHash, SessionDelta, SessionRecord, SessionRef } from '../../session/session.js'
import type {
  BackendHealth,
  BackendPowers,
  Committed,
  CommitOptions,
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
import { CountedStamps } from '../counted-stamps.js'
import { Fingerprint } from '../fingerprint.js'
import type { SeenSealer } from '../replicated/seen.js'
import { dotArgument, timeArgument } from './arguments.js'
import { EventChannel } from './channel.js'
import { Commits, type Outcome } from './commits.js'
import type { Ioredis, RedisArgument, RedisTarget } from './dial.js'
import { EVERY_SHARD, EveryShard } from './every-shard.js'
import { birthText, Keys, shardField, shardOf, shardOfHash } from './keys.js'
import { CREATE, DESTROY, TOUCH } from './lua/changes.js'
import { FIND, REVOKE } from './lua/reads.js'
import { KnownShards } from './known-shards.js'
import type { Script } from './lua/script.js'
import { Lifecycle } from './lifecycle.js'
import { mergedDelta, NOTHING, plainMark } from './merging.js'
import type { Answer } from './reader.js'
import { SessionTransfer } from './transfer.js'

export interface RedisBackendOptions {
  readonly target: RedisTarget
  readonly ids: IdCodec
  /** Random 53-bit integer, new at every start. */
  readonly actor: number
  readonly seals: SeenSealer
  readonly now: () => number
  readonly random: () => number
  readonly log: Log
  /** What every key begins with. Default 'session-mesh'. */
  readonly prefix?: string
  /** Where loads are answered from. `replica`: by stamps, never older than what the browser has seen. */
  readonly readFrom?: 'primary' | 'replica'
  /** Whether stamps are made: for whoever keeps copies. Default: where loads are answered from a replica. */
  readonly stamps?: boolean
  /** Longest time for one call, milliseconds. Default 1,000. */
  readonly timeoutMs?: number
  /** When Redis is not there at start: fail, or start and answer errors until it is. Default 'fail'. */
  readonly onUnreachable?: 'fail' | 'wait'
  /** Values as JSON text where that is exact. Default false. */
  readonly json?: boolean
  readonly limits?: { readonly sessions?: number }
  /** Milliseconds between two counts of all sessions. Default 10,000. */
  readonly countEveryMs?: number
  /** Default: the installed package. */
  readonly ioredis?: () => Promise<Ioredis>
}

const SESSIONS_MAX = 1_000_000
const TIMEOUT_MS = 1_000
const COUNT_EVERY_MS = 10_000

/**
 * Sessions in Redis: one hash per session in Spring Session's layout, one atomic script per commit. The node keeps
 * nothing; what Redis promises about durability is what holds. No CONFIG, no keyspace notifications.
 */
export class RedisBackend implements SessionBackend {
  readonly type = 'redis'
  readonly powers: BackendPowers
  readonly #options: RedisBackendOptions
  readonly #keys: Keys
  readonly #life: Lifecycle
  readonly #commits: Commits
  readonly #channel: EventChannel
  readonly #shards: KnownShards
  readonly #everywhere: EveryShard
  /** undefined: none are made. */
  readonly #stamps: CountedStamps | undefined
  readonly #touching = new Set<string>()
  readonly #counts = { loads: 0, created: 0, saved: 0, rotated: 0, ended: 0, touchesFailed: 0 }

  constructor(options: RedisBackendOptions) {
    const { prefix = 'session-mesh', readFrom = 'primary', onUnreachable = 'fail', json = false, actor, log, seals } = options
    const { timeoutMs = TIMEOUT_MS, countEveryMs = COUNT_EVERY_MS } = options
    const keys = new Keys(prefix)
    const stamps = new CountedStamps(seals)
    const { stamps: areMade = readFrom === 'replica' } = options
    this.#options = options
    this.#keys = keys
    this.#shards = new KnownShards(options.ids)
    this.#everywhere = new EveryShard({ keys, actor })
    this.#stamps = areMade ? stamps : undefined
    this.powers = { events: 'cluster', principals: true, stamps: areMade, merges: true }
    this.#commits = new Commits({ keys, actor, json, stamps: this.#stamps })
    this.#channel = new EventChannel({ name: keys.events, actor, log })
    const expired = (ref: SessionRef): void => this.#channel.tell({ type: 'expired', ref, reason: 'expired', local: true })
    this.#life = new Lifecycle({ ...options, keys, stamps, readFrom, timeoutMs, onUnreachable, countEveryMs, expired })
  }

  // ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────

  async load(id: string, seen: SeenTokens | undefined, { deadline }: LoadOptions): Promise<LoadResult> {
    if (!isUsableId(id)) return { state: 'none', why: 'unknown' }
    this.#counts.loads++
    const hash = hashId(id)
    const tokens = this.powers.stamps ? seen : undefined
    const answer = await this.#life.opened.reader.byId(this.#shards.of(id, hash), hash, tokens, deadline)
    if (answer.state === 'none') return answer
    const { birth, record, version } = answer.found
    const raised = this.#stamps?.sealed(birth, version, seen)
    return { state: 'found', ref: birth, session: record, ...(raised === undefined ? {} : { seen: raised }) }
  }

  async read(ref: SessionRef): Promise<SessionRecord | undefined> {
    const answer = await this.#life.opened.reader.byRef(ref)
    return answer.state === 'found' ? answer.found.record : undefined
  }

  async create(delta: SessionDelta, options: CreateOptions): Promise<Created> {
    const given = options.id === undefined ? undefined : foreignId(options.id)
    const holding = given === undefined ? undefined : await this.#held(hashId(given))
    if (given !== undefined && holding?.state === 'found') return { outcome: 'gone', id: given, ref: holding.found.birth }
    this.#assertRoom()
    const ref = given === undefined ? this.#commits.nextDot() : this.#commits.nextDotIn(shardOfHash(hashId(given)))
    const id = given ?? this.#options.ids.make(ref, shardField(ref))
    const lives = [timeArgument(options.maxIdleMs), timeArgument(options.maxLifeMs)]
    const args = [hashId(id), ...lives, plainMark(delta), ...mergedDelta(delta, NOTHING, ref, this.#options.json === true)]
    const { holder, ...committed } = await this.#commit(CREATE, ref, args, options)
    if (holder !== undefined) return { outcome: 'gone', id, ref: holder }
    this.#counts.created++
    this.#life.opened.census.note(1)
    this.#channel.tell({ type: 'created', ref, local: true })
    return { ...committed, id, ref }
  }

  async save(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Promise<Committed> {
    this.#counts.saved++
    const change = { ref, delta }
    const committed = await this.#commits.change(this.#life.opened.servers, change, options)
    if (committed.outcome !== 'gone') this.#channel.tell({ type: 'changed', ref, local: true })
    return committed
  }

  async rotate(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Promise<Rotated> {
    const id = this.#options.ids.make(this.#commits.nextDot(), shardField(ref))
    const change = { ref, newId: hashId(id), delta }
    const committed = await this.#commits.change(this.#life.opened.servers, change, options)
    if (committed.outcome === 'gone') return { outcome: 'gone' }
    this.#counts.rotated++
    this.#channel.tell({ type: 'rotated', ref, local: true })
    return { ...committed, id }
  }

  async destroy(ref: SessionRef, reason: EndReason, options: CommitOptions): Promise<Committed> {
    const committed = await this.#commit(DESTROY, ref, [dotArgument(this.#commits.nextDot()), reason], options)
    if (committed.outcome !== 'gone') this.#ended(ref, reason)
    return committed
  }

  /** Parallel requests of one session note one access. Redis counts from its own clock back by how long ago it was. */
  touch(ref: SessionRef, at: number): void {
    const birth = birthText(ref)
    const servers = this.#life.parts?.servers
    if (servers === undefined || this.#touching.has(birth)) return
    this.#touching.add(birth)
    const age = Math.max(0, Math.round(this.#options.now() - at))
    servers.primary
      .run(TOUCH, this.#keys.births(ref), [...this.#head(shardOf(ref)), birth, age])
      .catch(() => this.#counts.touchesFailed++)
      .finally(() => this.#touching.delete(birth))
  }

  // ── Principals ──────────────────────────────────────────────────────────────────────────────────────────────────

  async find(principal: string): Promise<readonly SessionRef[]> {
    return await this.#everywhere.ask(this.#life.opened.servers, FIND, [principal])
  }

  async revoke(principal: string, options: CommitOptions): Promise<Committed & { readonly sessions: number }> {
    const { servers } = this.#life.opened
    const ended = await this.#everywhere.ask(servers, REVOKE, [principal, dotArgument(this.#commits.nextDot())])
    for (const ref of ended) this.#ended(ref, 'logged-out')
    // What was revoked is noted in every shard, also where nothing ended.
    const outcome = await this.#commits.confirmed(servers, EVERY_SHARD, options)
    return { outcome, sessions: ended.length }
  }

  // ── The whole ───────────────────────────────────────────────────────────────────────────────────────────────────

  exportAll(cursor?: string): AsyncIterable<PortableSession> {
    return this.#transfer.exportAll(cursor)
  }

  async exportOne(ref: SessionRef): Promise<PortableSession | undefined> {
    return await this.#transfer.exportOne(ref)
  }

  async importOne(session: PortableSession): Promise<'imported' | 'known' | 'dead'> {
    this.#assertRoom()
    const { outcome, isNew } = await this.#transfer.importOne(session)
    if (isNew) this.#life.opened.census.note(1)
    return outcome
  }

  async digest(): Promise<string> {
    const fingerprint = new Fingerprint()
    for await (const session of this.exportAll()) fingerprint.add(session)
    return fingerprint.toString()
  }

  size(): { readonly sessions: number; readonly bytes: number } {
    return this.#life.parts?.census.size ?? { sessions: 0, bytes: 0 }
  }

  /** Counts anew what size() answers from, and looks at the servers again. */
  async count(): Promise<void> {
    const { census, servers } = this.#life.opened
    await Promise.all([census.count(), servers.count()])
  }

  subscribe(listener: (event: SessionEvent) => void): () => void {
    return this.#channel.listen(listener)
  }

  get #transfer(): SessionTransfer {
    const { servers } = this.#life.opened
    const { actor, json = false } = this.#options
    return new SessionTransfer({ client: servers.primary, keys: this.#keys, actor, json })
  }

  // ── Life ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async open(): Promise<void> {
    await this.#life.open()
    const { servers } = this.#life.opened
    this.#channel.open(() => servers.dial())
  }

  async ready(): Promise<void> {
    await this.#life.ready()
  }

  async close(): Promise<void> {
    this.#channel.close()
    await this.#life.close()
  }

  health(): BackendHealth {
    return this.#life.health()
  }

  counters(): Readonly<Record<string, number>> {
    const counts = this.#counts
    const parts = this.#life.parts
    const client = parts?.servers.primary
    return {
      session_mesh_sessions: this.size().sessions,
      session_mesh_loads_total: counts.loads,
      session_mesh_sessions_created_total: counts.created,
      session_mesh_saves_total: counts.saved,
      session_mesh_sessions_rotated_total: counts.rotated,
      session_mesh_sessions_ended_total: counts.ended,
      session_mesh_outcome_unknown_total: this.#commits.unknown,
      session_mesh_touches_failed_total: counts.touchesFailed,
      session_mesh_replica_reads_total: parts?.reader.counts.fromReplica ?? 0,
      session_mesh_replica_behind_total: parts?.reader.counts.replicaBehind ?? 0,
      session_mesh_redis_calls_total: client?.counts.calls ?? 0,
      session_mesh_redis_retries_total: client?.counts.retries ?? 0,
      session_mesh_redis_timeouts_total: client?.counts.timeouts ?? 0,
      session_mesh_redis_readonly_total: client?.counts.readonly ?? 0,
      session_mesh_redis_circuit_opened_total: client?.circuitOpened ?? 0,
      session_mesh_redis_up: client?.isUp === true ? 1 : 0,
    }
  }

  // ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What has an id that somebody else made. */
  async #held(hash: IdHash): Promise<Answer> {
    return await this.#life.opened.reader.byId(shardOfHash(hash), hash)
  }

  async #commit(
    script: Script,
    ref: SessionRef,
    args: readonly RedisArgument[],
    options: CommitOptions,
  ): Promise<Outcome> {
    return await this.#commits.run(this.#life.opened.servers, script, ref, args, options)
  }

  /** What every script is told first. */
  #head(shard: number): readonly RedisArgument[] {
    return [this.#keys.namespace, shard, this.#options.actor]
  }

  #ended(ref: SessionRef, reason: EndReason): void {
    this.#counts.ended++
    this.#life.parts?.census.note(-1)
    this.#channel.tell({ type: reason === 'expired' ? 'expired' : 'destroyed', ref, reason, local: true })
  }

  #assertRoom(): void {
    const max = this.#options.limits?.sessions ?? SESSIONS_MAX
    if (this.size().sessions >= max) throw new LimitError(`all ${max} sessions are in use (limits.sessions)`, 503)
  }
}
