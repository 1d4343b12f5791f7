import { BackendError, LimitError } from '../../errors.js'
import { foreignId, hashId, isUsableId, type IdCodec } from '../../session/id.js'
import {
  isExpired,
  type Dot,
  type EndReason,
  type SessionDelta,
  type SessionId,
  type SessionRecord,
  type SessionRef,
} from '../../session/session.js'
import type {
  BackendHealth,
  BackendPowers,
  Committed,
  CommitOptions,
  Created,
  CreateOptions,
  LoadResult,
  PortableSession,
  Rotated,
  SessionBackend,
  SessionEvent,
} from '../backend.js'
import { birthsAfter, birthText } from '../births.js'
import { BirthMap } from './birth-map.js'
import { BoundedMap } from './bounded-map.js'
import { Fingerprint } from '../fingerprint.js'
import { IdIndex } from './id-index.js'
import { MemorySession, type Written } from './memory-session.js'
import { PrincipalIndex } from './principal-index.js'

/** What the memory backend is made of. */
export interface MemoryBackendOptions {
  readonly ids: IdCodec
  /** Names this process start: a random integer below 2^53. Default: drawn with the dice that ids are made of. */
  readonly actor?: number
  readonly now: () => number
  /** `sessions`: live sessions at most; creating one more fails with LimitError. Default 1,000,000. */
  readonly limits?: { readonly sessions?: number }
}

const SESSIONS_MAX = 1_000_000
/** Ended imports that are remembered. */
const DEAD_MAX = 100_000
const SWEEP_EVERY_MS = 1_000
/** Sessions looked at per sweep: a fraction of a millisecond, and a million within two minutes. */
const SWEEP_SLICE = 10_000

/** Hybrid time: milliseconds since 2020 times 2,048, plus a counter. Comparable with that of every other backend. */
const HLC_EPOCH_MS = Date.UTC(2020, 0, 1)
const HLC_PER_MS = 2_048

const DONE: Committed = { outcome: 'done' }
const GONE = { outcome: 'gone' } as const

/**
 * Sessions in this process alone: for tests, for a single node, and as the shortest complete answer to what a backend
 * is. Everything answers synchronously. Nothing outlives the process.
 */
export class MemoryBackend implements SessionBackend {
  readonly type = 'memory'
  readonly powers: BackendPowers = { events: 'local', principals: true, stamps: false, merges: true }
  readonly #ids: IdCodec
  readonly #actor: number
  readonly #now: () => number
  readonly #sessionsMax: number
  readonly #sessions = new BirthMap<MemorySession>()
  readonly #byId = new IdIndex<MemorySession>()
  readonly #byPrincipal = new PrincipalIndex<MemorySession>()
  /** Imported sessions that ended here; those born here need no note, their counters are used up. */
  readonly #dead = new BoundedMap<string, true>(DEAD_MAX)
  readonly #listeners = new Set<(event: SessionEvent) => void>()
  readonly #counters = { loads: 0, created: 0, saved: 0, rotated: 0, ended: 0, expired: 0, refused: 0 }
  #bytes = 0
  #counter = 0
  #hlc = 0
  #sweeper: NodeJS.Timeout | undefined
  #unswept: Iterator<MemorySession, undefined> | undefined
  #closed = false

  constructor({ ids, actor, now, limits }: MemoryBackendOptions) {
    this.#ids = ids
    this.#actor = actor ?? drawActor(ids)
    this.#now = now
    this.#sessionsMax = limits?.sessions ?? SESSIONS_MAX
  }

  load(id: string): LoadResult {
    this.#assertOpen()
    this.#counters.loads++
    if (!isUsableId(id)) return { state: 'none', why: 'unknown' }
    const hash = hashId(id)
    const session = this.#byId.get(hash)
    if (session !== undefined && !this.#endIfExpired(session)) {
      return { state: 'found', ref: session.birth, session: session.snapshot() }
    }
    return { state: 'none', why: this.#byId.whyNot(hash, this.#now()) }
  }

  read(ref: SessionRef): SessionRecord | undefined {
    return this.#live(ref)?.snapshot()
  }

  create(delta: SessionDelta, options: CreateOptions): Created {
    this.#assertOpen()
    const given = options.id === undefined ? undefined : foreignId(options.id)
    const holder = given === undefined ? undefined : this.#byId.get(hashId(given))
    if (given !== undefined && holder !== undefined && !this.#endIfExpired(holder)) {
      return { outcome: 'gone', id: given, ref: holder.birth }
    }
    this.#assertRoom()
    const written = this.#written()
    const session = new MemorySession(written.dot, this.#now(), options.maxLifeMs)
    this.#counters.created++
    this.#sessions.set(session.birth, session)
    session.startWith(options.maxIdleMs)
    this.#apply(session, delta, written)
    const id = this.#replaceIds(session, written.dot, given)
    this.#tell('created', session)
    return { outcome: 'done', id, ref: session.birth }
  }

  save(ref: SessionRef, delta: SessionDelta): Committed {
    const session = this.#live(ref)
    if (session === undefined) return GONE
    this.#counters.saved++
    const written = this.#written()
    this.#apply(session, delta, written)
    session.lastAccessedAt = this.#now()
    this.#tell('changed', session)
    return DONE
  }

  rotate(ref: SessionRef, delta: SessionDelta): Rotated {
    const session = this.#live(ref)
    if (session === undefined) return GONE
    this.#counters.rotated++
    const written = this.#written()
    this.#apply(session, delta, written)
    session.lastAccessedAt = this.#now()
    const id = this.#replaceIds(session, written.dot)
    this.#tell('rotated', session)
    return { outcome: 'done', id }
  }

  destroy(ref: SessionRef, reason: EndReason): Committed {
    const session = this.#live(ref)
    if (session === undefined) return GONE
    this.#end(session, reason)
    return DONE
  }

  touch(ref: SessionRef, at: number): void {
    const session = this.#live(ref)
    if (session !== undefined) session.lastAccessedAt = Math.max(session.lastAccessedAt, Math.min(at, this.#now()))
  }

  find(principal: string): readonly SessionRef[] {
    this.#assertOpen()
    const sessions = this.#byPrincipal.of(principal)
    return sessions.filter((session) => !this.#endIfExpired(session)).map((session) => session.birth)
  }

  revoke(principal: string, _options: CommitOptions): Committed & { readonly sessions: number } {
    const refs = this.find(principal)
    for (const ref of refs) this.destroy(ref, 'logged-out')
    this.#byPrincipal.revoke(principal, this.#written().hlc)
    return { outcome: 'done', sessions: refs.length }
  }

  async *exportAll(cursor?: string): AsyncIterable<PortableSession> {
    this.#assertOpen()
    const births = Array.from(this.#sessions.values(), (session) => session.birth)
    for (const birth of birthsAfter(cursor, births)) {
      const session = this.exportOne(birth)
      if (session !== undefined) yield session
    }
  }

  exportOne(ref: SessionRef): PortableSession | undefined {
    return this.#live(ref)?.toPortable()
  }

  importOne(portable: PortableSession): 'imported' | 'known' | 'dead' {
    this.#assertOpen()
    const held = this.#live(portable.birth)
    if (held === undefined && this.#isDead(portable)) return 'dead'
    if (held === undefined) this.#assertRoom()
    const session = held ?? new MemorySession(portable.birth, portable.createdAt, portable.maxLifeMs)
    this.#sessions.set(session.birth, session)

    const before = session.ids
    const { bytes, principal } = session
    const news = session.merge(portable)
    this.#account(session, bytes, principal)
    for (const { hash } of before) {
      if (!session.ids.some((id) => id.hash === hash)) this.#byId.drop(hash, 'rotated', this.#now())
    }
    for (const { hash } of session.ids) this.#byId.set(hash, session)
    this.#hlc = Math.max(this.#hlc, portable.highest)
    if (this.#byPrincipal.isRevoked(session)) this.#end(session, 'logged-out')
    if (this.#live(session.birth) === undefined) return 'dead'
    return news ? 'imported' : 'known'
  }

  digest(): string {
    this.#assertOpen()
    const fingerprint = new Fingerprint()
    for (const session of this.#sessions.values()) {
      if (!this.#endIfExpired(session)) fingerprint.add(session.toPortable())
    }
    return fingerprint.toString()
  }

  open(): Promise<void> {
    this.#sweeper ??= setInterval(() => this.sweep(), SWEEP_EVERY_MS).unref()
    return Promise.resolve()
  }

  ready(): Promise<void> {
    return this.#closed ? Promise.reject(new BackendError('the memory backend is closed')) : Promise.resolve()
  }

  close(): Promise<void> {
    clearInterval(this.#sweeper)
    this.#closed = true
    return Promise.resolve()
  }

  size(): { readonly sessions: number; readonly bytes: number } {
    return { sessions: this.#sessions.size, bytes: this.#bytes }
  }

  health(): BackendHealth {
    return { ready: !this.#closed, detail: this.#closed ? 'closed' : 'ready', peers: [] }
  }

  counters(): Readonly<Record<string, number>> {
    const counters = this.#counters
    return {
      session_mesh_loads_total: counters.loads,
      session_mesh_sessions_created_total: counters.created,
      session_mesh_sessions_saved_total: counters.saved,
      session_mesh_sessions_rotated_total: counters.rotated,
      session_mesh_sessions_ended_total: counters.ended,
      session_mesh_sessions_expired_total: counters.expired,
      session_mesh_sessions_refused_total: counters.refused,
    }
  }

  subscribe(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Ends expired sessions among the next ones in turn; open() has it called once a second. */
  sweep(sessions = SWEEP_SLICE): void {
    for (let i = 0; i < sessions; i++) {
      this.#unswept ??= this.#sessions.values()
      const next = this.#unswept.next()
      if (next.done === true) {
        this.#unswept = undefined
        break
      }
      this.#endIfExpired(next.value)
    }
    this.#byId.forget(this.#now())
  }

  #assertOpen(): void {
    if (this.#closed) throw new BackendError('the memory backend is closed')
  }

  /** Expired sessions make room first; live ones are never dropped for new ones. */
  #assertRoom(): void {
    if (this.#sessions.size >= this.#sessionsMax) this.sweep()
    if (this.#sessions.size < this.#sessionsMax) return
    this.#counters.refused++
    throw new LimitError(`all ${this.#sessionsMax} sessions are in use (limits.sessions)`, 503)
  }

  #live(ref: SessionRef): MemorySession | undefined {
    this.#assertOpen()
    const session = this.#sessions.get(ref)
    return session === undefined || this.#endIfExpired(session) ? undefined : session
  }

  #written(): Written {
    this.#hlc = Math.max(this.#hlc + 1, Math.max(0, Math.floor(this.#now()) - HLC_EPOCH_MS) * HLC_PER_MS)
    return { hlc: this.#hlc, dot: { actor: this.#actor, counter: ++this.#counter } }
  }

  /** Takes in what a commit wrote, and keeps the sums and the index by principal right. */
  #apply(session: MemorySession, delta: SessionDelta, written: Written): void {
    const { bytes, principal } = session
    session.apply(delta, written)
    this.#account(session, bytes, principal)
  }

  /** `bytes`, `principal`: of the session as it was before it changed. */
  #account(session: MemorySession, bytes: number, principal: string | undefined): void {
    this.#bytes += session.bytes - bytes
    this.#byPrincipal.move(session, principal)
  }

  #replaceIds(session: MemorySession, dot: Dot, id: SessionId = this.#ids.make(dot)): SessionId {
    const hash = hashId(id)
    for (const old of session.ids) this.#byId.drop(old.hash, 'rotated', this.#now())
    session.ids = [{ hash, dot }]
    this.#byId.set(hash, session)
    return id
  }

  #endIfExpired(session: MemorySession): boolean {
    if (!isExpired(session, this.#now())) return false
    this.#end(session, 'expired')
    return true
  }

  #end(session: MemorySession, reason: EndReason): void {
    const { birth } = session
    this.#counters[reason === 'expired' ? 'expired' : 'ended']++
    this.#sessions.delete(birth)
    this.#bytes -= session.bytes
    for (const { hash } of session.ids) this.#byId.drop(hash, 'gone', this.#now())
    this.#byPrincipal.drop(session, session.principal)
    // One that expired for want of news may have been used elsewhere; an import that is over too is refused as that.
    if (birth.actor !== this.#actor && reason !== 'expired') this.#dead.set(birthText(birth), true)
    const event = { type: reason === 'expired' ? 'expired' : 'destroyed', ref: birth, reason, local: true } as const
    for (const listener of this.#listeners) listener(event)
  }

  #isDead({ birth }: PortableSession): boolean {
    return birth.actor === this.#actor ? birth.counter <= this.#counter : this.#dead.get(birthText(birth)) === true
  }

  #tell(type: 'created' | 'changed' | 'rotated', { birth }: MemorySession): void {
    if (this.#listeners.size === 0) return
    const event: SessionEvent = { type, ref: birth, local: true }
    for (const listener of this.#listeners) listener(event)
  }
}

/** As random as an id, because it is part of one. */
function drawActor(ids: IdCodec): number {
  return Buffer.from(ids.make({ actor: 0, counter: 0 }), 'base64url').readUIntBE(0, 6) + 1
}
