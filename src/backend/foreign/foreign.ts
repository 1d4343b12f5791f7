import { BackendError, LimitError } from '../../errors.js'
import { foreignId, hashId, isUsableId, type IdCodec } from '../../session/id.js'
import type { EndReason, IdHash, SessionDelta, SessionId, SessionRecord, SessionRef } from '../../session/session.js'
import type {
  BackendHealth, BackendPowers, CommitOptions, Committed, Created, CreateOptions, LoadResult, PortableSession, Rotated,
  SessionBackend, SessionEvent,
} from '../backend.js'
import { birthText, birthsAfter } from '../births.js'
import { Fingerprint } from '../fingerprint.js'
import { BoundedMap } from '../memory/bounded-map.js'
import { IdIndex } from '../memory/id-index.js'
import { MemorySession, type Written } from '../memory/memory-session.js'
import { idleOf, isForeignRecord, writesOf } from './record.js'
import { StoreCalls, type ForeignStore } from './store-calls.js'
import { sessionOf, storedOf } from './stored.js'

export interface ForeignBackendOptions {
  readonly store: ForeignStore
  readonly ids: IdCodec
  /** Random 53-bit integer, new at every start. */
  readonly actor: number
  readonly now: () => number
  /** Sessions that express-session itself wrote to the store are taken over when their browsers come. Default false. */
  readonly adopt?: boolean
  /** Idle lifetime of those that do not say theirs, milliseconds. Default a day. */
  readonly adoptedIdleMs?: number
  /** Longest time for one call of the store, milliseconds. Default 2,000. */
  readonly timeoutMs?: number
  readonly limits?: { readonly sessions?: number }
}

const DAY_MS = 86_400_000
const TIMEOUT_MS = 2_000
const KNOWN_MAX = 1_000_000
const ENDED_MAX = 100_000
const HLC_EPOCH_MS = Date.UTC(2020, 0, 1)
const HLC_PER_MS = 2_048

const GONE = { outcome: 'gone' } as const

interface Known {
  readonly key: IdHash
  readonly bytes: number
}

/**
 * Any store of express-session as a backend: whatever has get, set and destroy with callbacks. Such a store replaces
 * whole records and knows one key for each, so there is less that this can promise than the other backends do:
 *
 * - Commits merge within this process. Two processes that commit to one session at the same moment: the later replaces
 *   the earlier, attributes that only that one changed included.
 * - An end is final for this process. A commit of another that began before it writes the session back.
 * - No principals, no stamps; events of this process alone.
 * - A session is saved by whoever has loaded it: a ref that this process never met is answered `gone`.
 * - exportAll and digest need a store that can list (`all`).
 *
 * Records lie under the hash of the id. A rotation writes the new key, then deletes the old one.
 */
export class ForeignBackend implements SessionBackend {
  readonly type = 'foreign'
  readonly powers: BackendPowers = { events: 'local', principals: false, stamps: false, merges: false }
  readonly #options: ForeignBackendOptions
  readonly #calls: StoreCalls
  /** Where the sessions that this process met are. */
  readonly #known = new Map<string, Known>()
  readonly #ended = new BoundedMap<string, true>(ENDED_MAX)
  readonly #former = new IdIndex<true>()
  readonly #turns = new Map<IdHash, Promise<unknown>>()
  readonly #listeners = new Set<(event: SessionEvent) => void>()
  #counter = 0
  #hlc = 0
  #isClosed = false

  constructor(options: ForeignBackendOptions) {
    this.#options = options
    this.#calls = new StoreCalls(options.store, options.timeoutMs ?? TIMEOUT_MS)
  }

  async load(id: string): Promise<LoadResult> {
    if (!isUsableId(id)) return { state: 'none', why: 'unknown' }
    const key = hashId(id)
    const session = (await this.#read(key)) ?? (await this.#adopted(id, key))
    if (session !== undefined) return { state: 'found', ref: session.birth, session: session.snapshot() }
    return { state: 'none', why: this.#former.whyNot(key, this.#options.now()) }
  }

  async read(ref: SessionRef): Promise<SessionRecord | undefined> {
    return (await this.#live(ref))?.snapshot()
  }

  async create(delta: SessionDelta, options: CreateOptions): Promise<Created> {
    const given = options.id === undefined ? undefined : foreignId(options.id)
    const holder = given === undefined ? undefined : await this.#read(hashId(given))
    if (given !== undefined && holder !== undefined) return { outcome: 'gone', id: given, ref: holder.birth }
    const max = this.#options.limits?.sessions ?? KNOWN_MAX
    if (this.#known.size >= max) throw new LimitError(`all ${max} sessions are in use (limits.sessions)`, 503)
    const written = this.#written()
    const session = new MemorySession(written.dot, this.#options.now(), options.maxLifeMs)
    session.startWith(options.maxIdleMs)
    session.apply(delta, written)
    const id = given ?? this.#options.ids.make(written.dot)
    const hash = hashId(id)
    session.ids = [{ hash, dot: written.dot }]
    await this.#write(session, hash)
    this.#tell({ type: 'created', ref: session.birth, local: true })
    return { outcome: 'done', id, ref: session.birth }
  }

  async save(ref: SessionRef, delta: SessionDelta): Promise<Committed> {
    const saved = await this.#change(ref, async (session, key) => {
      session.apply(delta, this.#written())
      session.lastAccessedAt = this.#options.now()
      await this.#write(session, key)
      this.#tell({ type: 'changed', ref, local: true })
    })
    return saved ? { outcome: 'done' } : GONE
  }

  async rotate(ref: SessionRef, delta: SessionDelta, _options?: CommitOptions): Promise<Rotated> {
    let id: SessionId | undefined
    await this.#change(ref, async (session, key) => {
      const written = this.#written()
      session.apply(delta, written)
      session.lastAccessedAt = this.#options.now()
      id = this.#options.ids.make(written.dot)
      const hash = hashId(id)
      session.ids = [{ hash, dot: written.dot }]
      await this.#write(session, hash)
      await this.#drop(key, 'rotated')
      this.#tell({ type: 'rotated', ref, local: true })
    })
    return id === undefined ? GONE : { outcome: 'done', id }
  }

  async destroy(ref: SessionRef, reason: EndReason): Promise<Committed> {
    const ended = await this.#change(ref, async (_session, key) => {
      this.#forget(ref)
      await this.#drop(key, 'gone')
      this.#tell({ type: reason === 'expired' ? 'expired' : 'destroyed', ref, reason, local: true })
    })
    if (!ended) this.#forget(ref)
    return ended ? { outcome: 'done' } : GONE
  }

  touch(ref: SessionRef, at: number): void {
    const touched = this.#change(ref, async (session, key) => {
      session.lastAccessedAt = Math.max(session.lastAccessedAt, Math.min(at, this.#options.now()))
      await this.#write(session, key)
    })
    touched.catch(() => {})
  }

  find(): never {
    throw new BackendError('a store of express-session knows no principals')
  }

  revoke(): never {
    throw new BackendError('a store of express-session knows no principals')
  }

  async *exportAll(cursor?: string): AsyncGenerator<PortableSession> {
    const sessions = new Map<string, MemorySession>()
    for (const record of await this.#calls.all()) {
      const session = sessionOf(record, this.#options.now())
      if (session !== undefined) sessions.set(birthText(session.birth), session)
    }
    for (const birth of birthsAfter(cursor, Array.from(sessions.values(), (session) => session.birth))) {
      const session = sessions.get(birthText(birth))
      if (session !== undefined) yield session.toPortable()
    }
  }

  async exportOne(ref: SessionRef): Promise<PortableSession | undefined> {
    return (await this.#live(ref))?.toPortable()
  }

  async importOne(portable: PortableSession): Promise<'imported' | 'known' | 'dead'> {
    const { birth } = portable
    const key = this.#known.get(birthText(birth))?.key ?? portable.ids.map(({ hash }) => hash as IdHash)[0]
    if (key === undefined || this.#ended.get(birthText(birth)) === true) return 'dead'
    return await this.#inTurn(key, async () => {
      const held = await this.#read(key)
      const session = held ?? new MemorySession(birth, portable.createdAt, portable.maxLifeMs)
      const hasNews = session.merge(portable)
      const [id] = session.ids
      if (id === undefined || sessionOf(storedOf(session, this.#options.now()), this.#options.now()) === undefined) return 'dead'
      await this.#write(session, id.hash)
      if (id.hash !== key) await this.#drop(key, 'rotated')
      this.#hlc = Math.max(this.#hlc, portable.highest)
      return hasNews ? 'imported' : 'known'
    })
  }

  async digest(): Promise<string> {
    const fingerprint = new Fingerprint()
    for await (const session of this.exportAll()) fingerprint.add(session)
    return fingerprint.toString()
  }

  async open(): Promise<void> {
    await this.#calls.get('session-mesh')
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.#isClosed = true
    return Promise.resolve()
  }

  /** Of the sessions that this process met. */
  size(): { readonly sessions: number; readonly bytes: number } {
    let bytes = 0
    for (const known of this.#known.values()) bytes += known.bytes
    return { sessions: this.#known.size, bytes }
  }

  health(): BackendHealth {
    return { ready: !this.#isClosed, detail: this.#isClosed ? 'closed' : 'ready', peers: [] }
  }

  counters(): Readonly<Record<string, number>> {
    return { session_mesh_sessions: this.#known.size }
  }

  subscribe(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  // ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async #read(key: IdHash): Promise<MemorySession | undefined> {
    const session = sessionOf(await this.#calls.get(key), this.#options.now())
    if (session === undefined || this.#ended.get(birthText(session.birth)) === true) return undefined
    this.#note(session, key)
    return session
  }

  async #live(ref: SessionRef): Promise<MemorySession | undefined> {
    const known = this.#known.get(birthText(ref))
    const session = known === undefined ? undefined : await this.#read(known.key)
    if (session === undefined) this.#known.delete(birthText(ref))
    return session
  }

  /** What express-session wrote of this id becomes a session of ours, under the same id. */
  async #adopted(id: SessionId, key: IdHash): Promise<MemorySession | undefined> {
    const { adopt = false, adoptedIdleMs = DAY_MS } = this.#options
    if (!adopt || this.#former.whyNot(key, this.#options.now()) !== 'unknown') return undefined
    const record = await this.#calls.get(id)
    if (!isForeignRecord(record)) return undefined
    // A copy without methods: stores may hand out objects of express-session's own.
    const plain: unknown = JSON.parse(JSON.stringify(record))
    if (!isForeignRecord(plain)) return undefined
    await this.create({ writes: writesOf(plain) }, { id, maxIdleMs: idleOf(plain) ?? adoptedIdleMs, maxLifeMs: Infinity })
    await this.#calls.destroy(id)
    return await this.#read(key)
  }

  async #write(session: MemorySession, key: IdHash): Promise<void> {
    await this.#calls.set(key, storedOf(session, this.#options.now()))
    this.#note(session, key)
  }

  #note(session: MemorySession, key: IdHash): void {
    const birth = birthText(session.birth)
    this.#known.delete(birth)
    this.#known.set(birth, { key, bytes: session.bytes })
    const [oldest] = this.#known.size > KNOWN_MAX ? this.#known.keys() : []
    if (oldest !== undefined) this.#known.delete(oldest)
    this.#former.set(key, true)
  }

  async #drop(key: IdHash, why: 'rotated' | 'gone'): Promise<void> {
    await this.#calls.destroy(key)
    this.#former.drop(key, why, this.#options.now())
  }

  #forget(ref: SessionRef): void {
    this.#ended.set(birthText(ref), true)
    this.#known.delete(birthText(ref))
  }

  /** Reads, changes and writes a session, one change at a time. False: it is over, or this process never met it. */
  async #change(ref: SessionRef, act: (session: MemorySession, key: IdHash) => Promise<void>): Promise<boolean> {
    const known = this.#known.get(birthText(ref))
    if (known === undefined) return false
    return await this.#inTurn(known.key, async () => {
      const session = await this.#live(ref)
      const now = this.#known.get(birthText(ref))
      if (session === undefined || now === undefined) return false
      await act(session, now.key)
      return true
    })
  }

  async #inTurn<T>(key: IdHash, act: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(act, act)
    this.#turns.set(key, turn)
    try {
      return await turn
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key)
    }
  }

  #written(): Written {
    const wall = Math.max(0, Math.floor(this.#options.now()) - HLC_EPOCH_MS) * HLC_PER_MS
    this.#hlc = Math.max(this.#hlc + 1, wall)
    return { hlc: this.#hlc, dot: { actor: this.#options.actor, counter: ++this.#counter } }
  }

  #tell(event: SessionEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
