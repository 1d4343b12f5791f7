import { LimitError } from '../../errors.js'
import type { EndReason, SessionDelta, SessionRecord, SessionRef } from '../../session/session.js'
import type {
  Answer,
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
import type { CountedStamps } from '../counted-stamps.js'
import { Copies } from './copies.js'
import { CopyReader } from './copy-reader.js'
import type { EndedRefs } from './ended-refs.js'
import type { FarQueue } from './far-queue.js'
import { LateRevocations } from './late-revocations.js'
import type { Tier } from './tier.js'

export interface NearCacheOptions {
  readonly near: SessionBackend
  readonly far: SessionBackend
  readonly queue: FarQueue
  readonly ended: EndedRefs
  readonly now: () => number
  /** A copy that no event called old is served for so long without asking, milliseconds. */
  readonly staleForMs: number
  /** What browsers have seen of the far backend's sessions; undefined: it does not tell them. */
  readonly stamps: CountedStamps | undefined
}

/**
 * The far backend is the truth: every write goes there first. The near one keeps copies that answer reads. A copy is
 * dropped by the far backend's event of a change, and asked about anew after `staleForMs` in any case, because events can
 * get lost: a read is never older than that. While the far backend is away copies are served, marked as stale; writes are
 * taken near, queued and answered `unknown`.
 */
export class NearCache implements Tier {
  readonly powers: BackendPowers
  readonly #options: NearCacheOptions
  readonly #revocations: LateRevocations
  readonly #copies: Copies
  readonly #reader: CopyReader
  #unknowns = 0
  #hasAnswered = false
  #unsubscribe: (() => void) | undefined

  constructor(options: NearCacheOptions) {
    this.#options = options
    const { powers } = options.far
    const merges = powers.merges === true && options.near.powers.merges === true
    this.powers = { ...powers, stamps: options.stamps !== undefined, copies: true, merges }
    this.#copies = new Copies(options)
    this.#reader = new CopyReader({ ...options, copies: this.#copies })
    this.#revocations = new LateRevocations(options)
  }

  load(id: string, seen: SeenTokens | undefined, options: LoadOptions): Answer<LoadResult> {
    return this.#reader.load(id, seen, options)
  }

  async read(ref: SessionRef): Promise<SessionRecord | undefined> {
    return await this.#reader.read(ref)
  }

  async create(delta: SessionDelta, options: CreateOptions): Promise<Created> {
    const { near, far, queue } = this.#options
    return await this.#written(
      async () => await far.create(delta, options),
      async () => {
        const { outcome, id, ref } = await near.create(delta, unstamped(options))
        if (outcome !== 'gone') queue.note(ref)
        return { outcome, id, ref }
      },
    )
  }

  async save(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Promise<Committed> {
    const { near, far } = this.#options
    return await this.#committed(
      ref,
      async () => await far.save(ref, delta, options),
      async () => ({ outcome: (await near.save(ref, delta, unstamped(options))).outcome }),
    )
  }

  async rotate(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Promise<Rotated> {
    const { near, far } = this.#options
    return await this.#committed<Rotated>(
      ref,
      async () => await far.rotate(ref, delta, options),
      async () => {
        const rotated = await near.rotate(ref, delta, unstamped(options))
        return rotated.outcome === 'gone' ? { outcome: 'gone' } : { outcome: rotated.outcome, id: rotated.id }
      },
    )
  }

  async destroy(ref: SessionRef, reason: EndReason, options: CommitOptions): Promise<Committed> {
    const { near, queue, ended } = this.#options
    ended.add(ref)
    const { outcome } = await near.destroy(ref, reason, unstamped(options))
    queue.kill(ref, reason)
    const there = await queue.push(ref, Infinity)
    if (there === 'failed') return this.#unknown({ outcome: 'unknown' })
    return { outcome: there === 'gone' ? outcome : 'done' }
  }

  touch(ref: SessionRef, at: number): void {
    const { near, far, queue } = this.#options
    near.touch(ref, at)
    if (queue.isDown) queue.note(ref)
    else far.touch(ref, at)
  }

  async find(principal: string): Promise<readonly SessionRef[]> {
    const { near, far, queue } = this.#options
    try {
      return await far.find(principal)
    } catch (error) {
      queue.failed(error)
      return await near.find(principal)
    }
  }

  async revoke(principal: string, options: CommitOptions): Promise<Committed & { readonly sessions: number }> {
    const { near, far, queue } = this.#options
    const held = await near.find(principal)
    const { sessions } = await near.revoke(principal, unstamped(options))
    try {
      return await far.revoke(principal, options)
    } catch (error) {
      queue.failed(error)
      for (const ref of held) queue.kill(ref, 'logged-out')
      this.#revocations.add(principal)
      return this.#unknown({ outcome: 'unknown', sessions })
    }
  }

  exportAll(cursor?: string): AsyncIterable<PortableSession> {
    return this.#options.far.exportAll(cursor)
  }

  exportOne(ref: SessionRef): Answer<PortableSession | undefined> {
    return this.#options.far.exportOne(ref)
  }

  async importOne(session: PortableSession): Promise<'imported' | 'known' | 'dead'> {
    const outcome = await this.#options.far.importOne(session)
    this.#copies.changed(session.birth)
    return outcome
  }

  size(): { readonly sessions: number; readonly bytes: number } {
    return this.#options.far.size()
  }

  subscribe(listener: (event: SessionEvent) => void): () => void {
    return this.#options.far.subscribe(listener)
  }

  // ── By itself ───────────────────────────────────────────────────────────────────────────────────────────────────

  open(): void {
    this.#unsubscribe ??= this.#options.far.subscribe((event) => this.#heard(event))
    void this.#options.queue.probe().then((answers) => {
      this.#hasAnswered ||= answers
    })
  }

  close(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
  }

  /** Events were missed meanwhile: no copy is known to be current. */
  recovered(): void {
    this.#hasAnswered = true
    this.#copies.forget()
    void this.#revocations.apply()
  }

  missing(): string | undefined {
    return this.#hasAnswered ? undefined : 'the far backend has not answered yet'
  }

  tick(): void {}

  counters(): Readonly<Record<string, number>> {
    return { ...this.#reader.counters(), session_mesh_far_outcome_unknown_total: this.#unknowns }
  }

  // ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A commit to the far backend; what near took while that was away goes before it. */
  async #committed<T extends Committed | Rotated>(
    ref: SessionRef,
    there: () => Promise<T>,
    here: () => Promise<T>,
  ): Promise<T> {
    const { queue } = this.#options
    const result = await this.#written<T>(
      async () => {
        if (queue.isWaiting(ref)) await queue.push(ref, Infinity)
        return await there()
      },
      async () => {
        const committed = await here()
        if (committed.outcome !== 'gone') queue.note(ref)
        return committed
      },
    )
    this.#copies.changed(ref)
    return result
  }

  /** Writes far; where that fails, near. Where nothing can be written near either, that is the caller's error. */
  async #written<T extends Committed | Rotated>(there: () => Promise<T>, here: () => Promise<T>): Promise<T> {
    const { queue } = this.#options
    try {
      const done = await there()
      queue.answered()
      return done
    } catch (error) {
      if (error instanceof LimitError || error instanceof TypeError) throw error
      queue.failed(error)
      const done = await here()
      if (done.outcome === 'gone') throw error
      return this.#unknown({ ...done, outcome: 'unknown' })
    }
  }

  #unknown<T>(committed: T): T {
    this.#unknowns++
    return committed
  }

  #heard(event: SessionEvent): void {
    const { near, ended } = this.#options
    this.#copies.changed(event.ref)
    if (event.type !== 'destroyed' && event.type !== 'expired') return
    ended.add(event.ref)
    void near.destroy(event.ref, event.reason, {})
  }
}

function unstamped<T extends CommitOptions>(options: T): Omit<T, 'seen'> {
  const { seen: _, ...rest } = options
  return rest
}
