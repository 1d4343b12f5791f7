import type { Log } from '../../log.js'
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
import { after } from './answers.js'
import type { EndedRefs } from './ended-refs.js'
import type { FarQueue } from './far-queue.js'
import type { FarReader } from './far-reader.js'
import { Reconciler } from './reconciler.js'
import { Revocations } from './revocations.js'
import { SecondHand } from './second-hand.js'
import type { Tier } from './tier.js'

export interface TierOptions {
  readonly near: SessionBackend
  readonly far: SessionBackend
  readonly queue: FarQueue
  readonly reader: FarReader
  readonly ended: EndedRefs
  readonly now: () => number
  readonly log: Log
  /** Longest wait of a write that goes through to the far backend. */
  readonly throughMs: number
  /** The far backend's sessions are all brought over at start where they are no more than so many. */
  readonly warmUpMax: number
  /** Mode `both`: every write is in both before it is answered, and every read looks at both. */
  readonly bothAlways: boolean
}

/**
 * The near backend serves and decides; the far one is a durable copy, a flush behind. Ends, rotations and changes of the
 * principal go through to it before the answer; without it they are done, queued, and answered `unknown`.
 */
export class WriteBehind implements Tier {
  readonly powers: BackendPowers
  readonly #options: TierOptions
  readonly #secondHand: SecondHand
  readonly #reconciler: Reconciler
  readonly #revocations: Revocations
  readonly #counts = { unknown: 0, held: 0 }
  #unsubscribe: (() => void) | undefined

  constructor(options: TierOptions) {
    const { near, far } = options
    this.#options = options
    const { powers } = near
    const principals = powers.principals && far.powers.principals
    this.powers = { ...powers, principals, merges: powers.merges === true && far.powers.merges === true }
    this.#secondHand = new SecondHand(options)
    this.#reconciler = new Reconciler(options)
    this.#revocations = new Revocations(options)
  }

  load(id: string, seen: SeenTokens | undefined, options: LoadOptions): Answer<LoadResult> {
    const { near } = this.#options
    return after(near.load(id, seen, options), (answer) => {
      if (answer.state === 'none' && answer.why === 'unknown') return this.#loadFar(id, seen, options, answer)
      if (answer.state === 'found' && this.#options.bothAlways) return this.#loadBoth(answer.ref, id, seen, options)
      return answer
    })
  }

  read(ref: SessionRef): Answer<SessionRecord | undefined> {
    const { near } = this.#options
    return after(near.read(ref), (record) => record ?? this.#unlessMissing(ref, () => near.read(ref)))
  }

  create(delta: SessionDelta, options: CreateOptions): Answer<Created> {
    const { near, queue } = this.#options
    const create = (): Answer<Created> =>
      after(near.create(delta, options), (created) => {
        if (created.outcome === 'gone') return created
        queue.note(created.ref)
        if (this.#options.bothAlways) return this.#through(created.ref, created, options)
        return queue.isBehind ? this.#held(created) : created
      })
    if (options.id === undefined) return create()
    // Somebody else's id may name a session that only the far backend holds.
    const load = this.load(options.id, undefined, { deadline: this.#options.now() + this.#options.throughMs })
    return after(load, create)
  }

  save(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Answer<Committed> {
    const save = (): Answer<Committed> => this.#options.near.save(ref, delta, options)
    const isThrough = delta.principal !== undefined || this.#options.bothAlways
    return after(this.#onHeld(ref, save), (saved) => this.#changed(ref, saved, isThrough, options))
  }

  rotate(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Answer<Rotated> {
    const rotate = (): Answer<Rotated> => this.#options.near.rotate(ref, delta, options)
    return after(this.#onHeld(ref, rotate), (rotated) => this.#changed(ref, rotated, true, options))
  }

  async destroy(ref: SessionRef, reason: EndReason, options: CommitOptions): Promise<Committed> {
    const { near, queue, ended, reader } = this.#options
    // A session that only the far backend holds is brought over first: then its end reaches every node.
    if ((await near.read(ref)) === undefined) await reader.byRef(ref)
    ended.add(ref)
    const here = await near.destroy(ref, reason, options)
    queue.kill(ref, reason)
    const there = await queue.push(ref, this.#withinMs(options))
    if (there === 'failed') return this.#unknown(here)
    return here.outcome === 'gone' && there === 'done' ? { outcome: 'done' } : here
  }

  touch(ref: SessionRef, at: number): void {
    this.#options.near.touch(ref, at)
    this.#options.queue.note(ref)
  }

  async find(principal: string): Promise<readonly SessionRef[]> {
    const { near } = this.#options
    const here = await near.find(principal)
    const there = await this.#revocations.onlyFar(principal)
    const known = new Set(here.map(birthText))
    return [...here, ...(there ?? []).filter((ref) => !known.has(birthText(ref)))]
  }

  async revoke(principal: string, options: CommitOptions): Promise<Committed & { readonly sessions: number }> {
    const { near, queue } = this.#options
    const held = await near.find(principal)
    const here = await near.revoke(principal, options)
    for (const ref of held) queue.kill(ref, 'logged-out')
    const sent = await Promise.all(held.map((ref) => queue.push(ref, this.#withinMs(options))))
    const there = await this.#revocations.apply(principal)
    if (there === undefined) return this.#unknown(here)
    const sessions = here.sessions + there
    return sent.includes('failed') ? this.#unknown({ ...here, sessions }) : { ...here, sessions }
  }

  async *exportAll(cursor?: string): AsyncGenerator<PortableSession> {
    await this.#reconciler.complete()
    yield* this.#options.near.exportAll(cursor)
  }

  exportOne(ref: SessionRef): Answer<PortableSession | undefined> {
    const { near } = this.#options
    return after(near.exportOne(ref), (session) => session ?? this.#unlessMissing(ref, () => near.exportOne(ref)))
  }

  async importOne(session: PortableSession): Promise<'imported' | 'known' | 'dead'> {
    const { near, reader, queue, ended } = this.#options
    const { birth } = session
    if ((await near.read(birth)) === undefined) await reader.byRef(birth)
    if (ended.has(birth)) return 'dead'
    const outcome = await near.importOne(session)
    if (outcome === 'dead') return outcome
    queue.note(birth)
    return (await queue.push(birth, this.#options.throughMs)) === 'gone' ? 'dead' : outcome
  }

  size(): { readonly sessions: number; readonly bytes: number } {
    return this.#options.near.size()
  }

  subscribe(listener: (event: SessionEvent) => void): () => void {
    const { near, reader } = this.#options
    return near.subscribe((event) => {
      if (!reader.isImporting) listener(event)
    })
  }

  // ── By itself ───────────────────────────────────────────────────────────────────────────────────────────────────

  open(): void {
    this.#unsubscribe ??= this.#options.near.subscribe((event) => this.#heard(event))
    void this.#reconciler.warmUp()
  }

  close(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
  }

  recovered(): void {
    void this.#revocations.again().then(() => this.#reconciler.run())
  }

  missing(): string | undefined {
    if (this.#reconciler.isComplete || !this.#options.queue.isDown) return undefined
    return 'the far backend does not answer, and it has sessions that are not here yet'
  }

  tick(): void {
    this.#secondHand.tick()
    if (!this.#options.queue.isDown && this.#options.queue.takeDropped()) void this.#reconciler.run()
  }

  counters(): Readonly<Record<string, number>> {
    const { unknown, held } = this.#counts
    const own = { session_mesh_far_outcome_unknown_total: unknown, session_mesh_far_held_up_total: held }
    return { ...own, ...this.#reconciler.counters() }
  }

  // ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async #loadFar(
    id: string,
    seen: SeenTokens | undefined,
    options: LoadOptions,
    missing: LoadResult,
  ): Promise<LoadResult> {
    switch (await this.#options.reader.byId(id, options.deadline)) {
      case 'held':
        return await this.#options.near.load(id, seen, options)
      case 'none':
      case 'over':
        return missing
      case 'unreachable':
        return this.#reconciler.isComplete ? missing : { state: 'behind', retryAfterMs: 1_000 }
    }
  }

  /**
   * Nodes that know only one of the two may be at work. What the far one has that is not here is merged; what it has not
   * is written there, and refused if it ended there.
   */
  async #loadBoth(
    ref: SessionRef,
    id: string,
    seen: SeenTokens | undefined,
    options: LoadOptions,
  ): Promise<LoadResult> {
    const { near, queue, reader } = this.#options
    const brought = await reader.byRef(ref)
    if (brought === 'none') {
      queue.note(ref)
      await queue.push(ref, this.#options.throughMs)
    }
    const here = await near.load(id, seen, options)
    return brought === 'unreachable' && here.state === 'found' ? { ...here, stale: true } : here
  }

  /** Brings the session over, and asks again. */
  async #unlessMissing<T>(ref: SessionRef, ask: () => Answer<T | undefined>): Promise<T | undefined> {
    return (await this.#options.reader.byRef(ref)) === 'held' ? await ask() : undefined
  }

  #onHeld<T extends { readonly outcome: string }>(ref: SessionRef, commit: () => Answer<T>): Answer<T> {
    return after(commit(), (committed) => (committed.outcome === 'gone' ? this.#again(ref, commit, committed) : committed))
  }

  async #again<T>(ref: SessionRef, commit: () => Answer<T>, gone: T): Promise<T> {
    return (await this.#options.reader.byRef(ref)) === 'held' ? await commit() : gone
  }

  #changed<T extends Committed | Rotated>(
    ref: SessionRef,
    committed: T,
    isThrough: boolean,
    options: CommitOptions,
  ): Answer<T> {
    if (committed.outcome === 'gone') return committed
    const { queue } = this.#options
    queue.note(ref)
    if (isThrough) return this.#through(ref, committed, options)
    return queue.isBehind ? this.#held(committed) : committed
  }

  /** Where the far backend is slower than what is asked of it, who asks waits, so that no more is lost than promised. */
  async #held<T>(committed: T): Promise<T> {
    this.#counts.held++
    await this.#options.queue.caughtUp()
    return committed
  }

  async #through<T extends Committed | Rotated>(ref: SessionRef, committed: T, options: CommitOptions): Promise<T> {
    const sent = await this.#options.queue.push(ref, this.#withinMs(options))
    return sent === 'failed' ? this.#unknown(committed) : committed
  }

  #unknown<T extends Committed | Rotated>(committed: T): T {
    this.#counts.unknown++
    return { ...committed, outcome: 'unknown' }
  }

  #withinMs({ withinMs }: CommitOptions): number {
    return withinMs ?? this.#options.throughMs
  }

  /**
   * Every end reaches the far backend by the node that caused it, and by those whose writes it may have overtaken; where
   * that node may know of no far backend, by every other.
   */
  #heard(event: SessionEvent): void {
    const { queue, ended, bothAlways } = this.#options
    const { ref } = event
    if (event.type === 'destroyed' || event.type === 'expired') {
      ended.add(ref)
      if (event.type === 'destroyed' && (event.local || bothAlways || queue.knows(ref))) queue.kill(ref, event.reason)
    } else if (!event.local && !this.#options.reader.isImporting) this.#secondHand.note(ref)
  }
}
