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
import { birthText } from '../births.js'
import { BoundedMap } from '../memory/bounded-map.js'
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
}

/** Copies whose age is known; of others the far backend is asked. */
const COPIES_MAX = 1_000_000

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
  readonly #counts = { hits: 0, misses: 0, unknown: 0 }
  readonly #asking = new Map<string, Promise<boolean>>()
  /** When a copy was known to be current. */
  #currentAt = new BoundedMap<string, number>(COPIES_MAX)
  #hasAnswered = false

  constructor(options: NearCacheOptions) {
    this.#options = options
    const { powers } = options.far
    const merges = powers.merges === true && options.near.powers.merges === true
    this.powers = { ...powers, stamps: false, merges }
    this.#revocations = new LateRevocations(options)
  }

  load(id: string, _seen: SeenTokens | undefined, options: LoadOptions): Answer<LoadResult> {
    const held = this.#options.near.load(id, undefined, options)
    if (!(held instanceof Promise) && held.state === 'found' && this.#isCurrent(held.ref)) {
      this.#counts.hits++
      return held
    }
    this.#counts.misses++
    return this.#load(id, held, options)
  }

  async read(ref: SessionRef): Promise<SessionRecord | undefined> {
    const { near, far, queue } = this.#options
    if (!this.#isCurrent(ref) && !(await this.#refresh(ref))) return await near.read(ref)
    return (await near.read(ref)) ?? (queue.isDown ? undefined : await far.read(ref))
  }

  async create(delta: SessionDelta, options: CreateOptions): Promise<Created> {
    const { near, far, queue } = this.#options
    return await this.#written(
      async () => await far.create(delta, options),
      async () => {
        const created = await near.create(delta, options)
        if (created.outcome !== 'gone') queue.note(created.ref)
        return created
      },
    )
  }

  async save(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Promise<Committed> {
    const { near, far } = this.#options
    return await this.#committed(
      ref,
      async () => await far.save(ref, delta, options),
      async () => await near.save(ref, delta, options),
    )
  }

  async rotate(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Promise<Rotated> {
    const { near, far } = this.#options
    return await this.#committed<Rotated>(
      ref,
      async () => await far.rotate(ref, delta, options),
      async () => await near.rotate(ref, delta, options),
    )
  }

  async destroy(ref: SessionRef, reason: EndReason, options: CommitOptions): Promise<Committed> {
    const { near, queue, ended } = this.#options
    ended.add(ref)
    const here = await near.destroy(ref, reason, options)
    queue.kill(ref, reason)
    const there = await queue.push(ref, Infinity)
    if (there === 'failed') return this.#unknown({ ...here, outcome: 'unknown' })
    return { outcome: there === 'gone' ? here.outcome : 'done' }
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
    const here = await near.revoke(principal, options)
    try {
      return await far.revoke(principal, options)
    } catch (error) {
      queue.failed(error)
      for (const ref of held) queue.kill(ref, 'logged-out')
      this.#revocations.add(principal)
      return this.#unknown({ ...here, outcome: 'unknown' })
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
    this.#currentAt.delete(birthText(session.birth))
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
    this.#options.far.subscribe((event) => this.#heard(event))
    void this.#options.queue.probe().then((answers) => {
      this.#hasAnswered ||= answers
    })
  }

  /** Events were missed meanwhile: no copy is known to be current. */
  recovered(): void {
    this.#hasAnswered = true
    this.#currentAt = new BoundedMap<string, number>(COPIES_MAX)
    void this.#revocations.apply()
  }

  missing(): string | undefined {
    return this.#hasAnswered ? undefined : 'the far backend has not answered yet'
  }

  tick(): void {}

  counters(): Readonly<Record<string, number>> {
    return {
      session_mesh_near_hits_total: this.#counts.hits,
      session_mesh_near_misses_total: this.#counts.misses,
      session_mesh_far_outcome_unknown_total: this.#counts.unknown,
    }
  }

  // ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async #load(id: string, held: Answer<LoadResult>, options: LoadOptions): Promise<LoadResult> {
    const { near, far, queue } = this.#options
    const copy = await held
    if (copy.state === 'found') {
      const isCurrent = await this.#refresh(copy.ref)
      const again = await near.load(id, undefined, options)
      return isCurrent || again.state !== 'found' ? again : { ...again, stale: true }
    }
    try {
      const found = await far.load(id, undefined, options)
      queue.answered()
      if (found.state !== 'found') return found
      // Without a copy it is served all the same: there may be no room for one.
      if (!(await this.#refresh(found.ref))) return found
      const here = await near.load(id, undefined, options)
      return here.state === 'found' ? here : found
    } catch (error) {
      queue.failed(error)
      const isOver = copy.state === 'none' && copy.why !== 'unknown'
      return isOver ? copy : { state: 'behind', retryAfterMs: 1_000 }
    }
  }

  #isCurrent(ref: SessionRef): boolean {
    const at = this.#currentAt.get(birthText(ref))
    return at !== undefined && Math.abs(this.#options.now() - at) <= this.#options.staleForMs
  }

  /** Makes the copy current; requests that ask for the same one wait together. False: the far backend did not answer. */
  async #refresh(ref: SessionRef): Promise<boolean> {
    const key = birthText(ref)
    const running = this.#asking.get(key)
    if (running !== undefined) return await running
    const asking = this.#ask(ref, key)
    this.#asking.set(key, asking)
    try {
      return await asking
    } finally {
      if (this.#asking.get(key) === asking) this.#asking.delete(key)
    }
  }

  /** The session changed: neither the copy nor one that was asked for before that answers what is asked from now on. */
  #changed(ref: SessionRef): void {
    const key = birthText(ref)
    this.#currentAt.delete(key)
    this.#asking.delete(key)
  }

  async #ask(ref: SessionRef, key: string): Promise<boolean> {
    const { near, far, queue, ended, now } = this.#options
    this.#currentAt.set(key, now())
    try {
      if (queue.isWaiting(ref) && (await queue.push(ref, Infinity)) === 'failed') return this.#isOld(key)
      const session = await far.exportOne(ref)
      queue.answered()
      if (session === undefined) await near.destroy(ref, 'destroyed', {})
      else await near.importOne(session)
      // Its end may have been told while the copy was on its way.
      if (ended.has(ref)) await near.destroy(ref, 'destroyed', {})
      return true
    } catch (error) {
      queue.failed(error)
      return this.#isOld(key)
    }
  }

  #isOld(key: string): false {
    this.#currentAt.delete(key)
    return false
  }

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
    this.#changed(ref)
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
    this.#counts.unknown++
    return committed
  }

  #heard(event: SessionEvent): void {
    const { near, ended } = this.#options
    this.#changed(event.ref)
    if (event.type !== 'destroyed' && event.type !== 'expired') return
    ended.add(event.ref)
    void near.destroy(event.ref, event.reason, {})
  }
}
