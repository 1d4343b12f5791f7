import { deferred } from '../../deferred.js'
import { BackendError } from '../../errors.js'
import type { Log } from '../../log.js'
import type { EndReason, SessionDelta, SessionRecord, SessionRef } from '../../session/session.js'
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
import { CountedStamps } from '../counted-stamps.js'
import { Fingerprint } from '../fingerprint.js'
import type { SeenSealer } from '../replicated/seen.js'
import { EndedRefs } from './ended-refs.js'
import { Exchange } from './exchange.js'
import { FarQueue } from './far-queue.js'
import { FarReader } from './far-reader.js'
import { NearCache } from './near-cache.js'
import type { Tier } from './tier.js'
import { WriteBehind } from './write-behind.js'

export interface TieredOptions {
  readonly near: SessionBackend
  readonly far: SessionBackend
  /**
   * `write-behind`: near decides, far is a flush behind. `near-cache`: far decides, near keeps copies. `both`: every write is
   * in both before it is answered and every read looks at both, for the time of a move from one to the other.
   */
  readonly mode: 'write-behind' | 'near-cache' | 'both'
  readonly now: () => number
  readonly log: Log
  /** Milliseconds between two flushes. Default 100. */
  readonly flushIntervalMs?: number
  /** Sessions that may wait for the far backend. Default 100,000. */
  readonly queueMax?: number
  /** Longest wait of a write that goes through, milliseconds. Default 1,000. */
  readonly throughMs?: number
  /** Sessions that are brought over at start; where the far backend has more, as they are asked for. Default 20,000. */
  readonly warmUpMax?: number
  /** Mode 'near-cache': how long a copy is served without asking, milliseconds. Default 1,000. */
  readonly staleForMs?: number
  /** Mode 'near-cache': opens the stamps of a far backend that counts commits. Default: copies take no notice of stamps. */
  readonly seals?: SeenSealer
}

const FLUSH_INTERVAL_MS = 100
const QUEUE_MAX = 100_000
const THROUGH_MS = 1_000
const WARM_UP_MAX = 20_000
const STALE_FOR_MS = 1_000
const DRAIN_MS = 3_000

/**
 * Two backends as one: a near one that is fast and a far one that lasts. Whichever is away, the other goes on, and what
 * they missed of each other is merged afterwards by what was written when, never by what arrives when.
 */
export class TieredBackend implements SessionBackend {
  readonly type = 'tiered'
  readonly powers: BackendPowers
  readonly #options: TieredOptions
  readonly #queue: FarQueue
  readonly #reader: FarReader
  readonly #tier: Tier
  readonly #exchange: Exchange | undefined
  readonly #readiness = deferred<void>()
  #ticker: NodeJS.Timeout | undefined
  #isReady = false
  #closing: Promise<void> | undefined

  constructor(options: TieredOptions) {
    const { near, far, now, log } = options
    const { flushIntervalMs = FLUSH_INTERVAL_MS, queueMax = QUEUE_MAX } = options
    const ended = new EndedRefs()
    const recovered = (): void => this.#tier.recovered()
    this.#options = options
    this.#queue = new FarQueue({ near, far, ended, now, log, flushIntervalMs, sessionsMax: queueMax, recovered })
    const asksAnew = options.mode === 'both'
    this.#reader = new FarReader({ near, far, queue: this.#queue, ended, now, asksAnew })
    const { throughMs = THROUGH_MS, warmUpMax = WARM_UP_MAX } = options
    const parts = { ...options, queue: this.#queue, reader: this.#reader, ended, throughMs, warmUpMax }
    const { mode, staleForMs = STALE_FOR_MS, seals } = options
    const stamps = far.powers.stamps && seals !== undefined ? new CountedStamps(seals) : undefined
    const isCache = mode === 'near-cache'
    this.#tier = isCache ? new NearCache({ ...parts, staleForMs, stamps }) : new WriteBehind({ ...parts, bothAlways: mode === 'both' })
    const exchange = { near, far, queue: this.#queue, reader: this.#reader, sessionsMax: queueMax, compare: recovered }
    this.#exchange = mode === 'both' ? new Exchange(exchange) : undefined
    this.powers = this.#tier.powers
    this.#readiness.promise.catch(() => {})
  }

  // ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────

  load(id: string, seen: SeenTokens | undefined, options: LoadOptions): Answer<LoadResult> {
    return this.#tier.load(id, seen, options)
  }

  read(ref: SessionRef): Answer<SessionRecord | undefined> {
    return this.#tier.read(ref)
  }

  create(delta: SessionDelta, options: CreateOptions): Answer<Created> {
    return this.#tier.create(delta, options)
  }

  save(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Answer<Committed> {
    return this.#tier.save(ref, delta, options)
  }

  rotate(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Answer<Rotated> {
    return this.#tier.rotate(ref, delta, options)
  }

  destroy(ref: SessionRef, reason: EndReason, options: CommitOptions): Answer<Committed> {
    return this.#tier.destroy(ref, reason, options)
  }

  touch(ref: SessionRef, at: number): void {
    this.#tier.touch(ref, at)
  }

  find(principal: string): Answer<readonly SessionRef[]> {
    return this.#tier.find(principal)
  }

  revoke(principal: string, options: CommitOptions): Answer<Committed & { readonly sessions: number }> {
    return this.#tier.revoke(principal, options)
  }

  // ── The whole ───────────────────────────────────────────────────────────────────────────────────────────────────

  exportAll(cursor?: string): AsyncIterable<PortableSession> {
    return this.#tier.exportAll(cursor)
  }

  exportOne(ref: SessionRef): Answer<PortableSession | undefined> {
    return this.#tier.exportOne(ref)
  }

  importOne(session: PortableSession): Answer<'imported' | 'known' | 'dead'> {
    return this.#tier.importOne(session)
  }

  async digest(): Promise<string> {
    const fingerprint = new Fingerprint()
    for await (const session of this.exportAll()) fingerprint.add(session)
    return fingerprint.toString()
  }

  /** What is held near. */
  size(): { readonly sessions: number; readonly bytes: number } {
    return this.#tier.size()
  }

  subscribe(listener: (event: SessionEvent) => void): () => void {
    return this.#tier.subscribe(listener)
  }

  // ── Life ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async open(): Promise<void> {
    const { near, far, flushIntervalMs = FLUSH_INTERVAL_MS } = this.#options
    await far.open()
    await near.open()
    this.#queue.open()
    this.#exchange?.open()
    this.#tier.open()
    near.ready().then(
      () => {
        this.#isReady = true
        this.#judge()
      },
      (error: unknown) => this.#readiness.reject(error instanceof Error ? error : new BackendError('the near backend failed')),
    )
    this.#ticker = setInterval(() => this.#tick(), flushIntervalMs)
  }

  ready(): Promise<void> {
    return this.#readiness.promise
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Writes to the far backend what waits for it by now, as far as it can be reached. */
  async flush(): Promise<void> {
    await this.#exchange?.flush()
    await this.#queue.flush()
  }

  /** Sessions that the far backend does not have yet as they are. */
  get waiting(): number {
    return this.#queue.size
  }

  health(): BackendHealth {
    const health = this.#options.near.health()
    if (this.#closing !== undefined) return { ...health, ready: false, detail: 'leaving' }
    const missing = this.#tier.missing()
    if (!health.ready || missing !== undefined) return { ...health, ready: false, detail: missing ?? health.detail }
    const waiting = this.#queue.size
    return this.#queue.isDown ? { ...health, detail: `ready; the far backend is away, ${waiting} sessions wait for it` } : health
  }

  counters(): Readonly<Record<string, number>> {
    const { near, far } = this.#options
    const ofFar = Object.entries(far.counters()).map(([name, value]) => [name.replace(/^session_mesh_/, '$&far_'), value])
    const own = { ...this.#queue.counters(), ...this.#reader.counters(), ...this.#tier.counters() }
    return { ...Object.fromEntries(ofFar), ...near.counters(), ...own }
  }

  #tick(): void {
    this.#tier.tick()
    this.#exchange?.tick()
    this.#judge()
  }

  #judge(): void {
    if (this.#isReady && this.#tier.missing() === undefined) this.#readiness.resolve()
  }

  async #close(): Promise<void> {
    const { near, far } = this.#options
    clearInterval(this.#ticker)
    await this.#exchange?.close()
    await this.#queue.close(DRAIN_MS)
    this.#tier.close()
    await near.close()
    await far.close()
    this.#readiness.reject(new BackendError('the node was closed'))
  }
}
