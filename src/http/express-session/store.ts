import { EventEmitter } from 'node:events'
import type { Answer, CommitOptions, LoadResult, SessionBackend } from '../../backend/backend.js'
import { NotReadyError, SessionGoneError } from '../../errors.js'
import type { EndReason, SessionRef } from '../../session/session.js'
import { andThen } from '../answer.js'
import type { SessionLimits } from '../options.js'
import { answer } from './answer.js'
import { Baselines } from './baselines.js'
import { Handed } from './handed.js'
import { after, assertWithin, imageOf, NOTHING, settled, withCookie, type Baseline, type Image } from './image.js'
import { COOKIE } from './lifetime.js'
import { LoadedSession } from './loaded-session.js'
import { baselineOf, hand } from './record.js'
import type { Callback, StoredSession, StoreOptions, StoreRequest, StoreSource } from './store-types.js'

const TTL_MS = 86_400_000
const LOAD_WITHIN_MS = 2_000
const ID_LENGTH_MIN = 20
const LIMITS: SessionLimits = { bytes: 65_536, attributes: 1_024 }
/** Sessions ended at once by `clear`, and looked at by `all` and `length` before others have their turn. */
const BATCH = 256

/**
 * A Store for express-session over any backend. What other stores write is the whole session, so of two requests at once
 * one is lost, and a slow one brings back a session that was logged out. This one knows what each request was handed and
 * writes only what it changed; a session that ended stays ended.
 *
 * Every method takes a callback or returns a promise. It does not need express-session to be installed.
 */
export class ExpressSessionStore extends EventEmitter {
  readonly #backend: SessionBackend
  readonly #options: StoreOptions & { readonly now: () => number }
  readonly #ttl: number
  readonly #limits: SessionLimits
  readonly #saving: CommitOptions
  readonly #ending: CommitOptions
  readonly #baselines = new Baselines()
  /** Counted so far, by metric name. */
  readonly counters = {
    session_mesh_store_creates_total: 0,
    session_mesh_store_saves_total: 0,
    session_mesh_store_saves_unchanged_total: 0,
    session_mesh_store_saves_gone_total: 0,
    session_mesh_store_ids_in_use_total: 0,
  }
  #generate: ((req: StoreRequest) => void) | undefined

  constructor(source: StoreSource, options: StoreOptions & { readonly now: () => number }) {
    super()
    this.#backend = source.backend
    this.#options = options
    this.#ttl = options.ttl ?? TTL_MS
    this.#limits = { ...LIMITS, ...options.limits }
    const { stamps, copies = false } = source.backend.powers
    const acks = options.acks ?? (stamps && !copies ? 'all' : undefined)
    this.#ending = options.within === undefined ? {} : { withinMs: options.within }
    this.#saving = acks === undefined ? this.#ending : { ...this.#ending, acks }
    // An outage is not told this way, but by the error of each call: express-session serves everybody as a stranger while a
    // store is disconnected.
    source.backend.ready().then(
      () => this.emit('connect'),
      () => {},
    )
    void source.closed?.then(() => this.emit('disconnect'))
  }

  /** What is stored under an id; null when there is none. */
  get<S = StoredSession>(id: string): Promise<S | null>
  get<S = StoredSession>(id: string, callback: Callback<S | null>): void
  get(id: string, callback?: Callback<StoredSession | null>): Promise<StoredSession | null> | undefined {
    return answer(() => this.#get(id), callback)
  }

  /**
   * Writes what changed since the session was loaded; makes a session where the id is unknown. Of a session that ended
   * nothing is written (see `onGone`).
   */
  set(id: string, session: object): Promise<void>
  set(id: string, session: object, callback?: Callback): void
  set(id: string, session: object, callback?: Callback): Promise<void> | undefined {
    return answer(() => this.#set(id, session), callback)
  }

  /** Notes an access, and takes over a changed cookie. Never makes a session. */
  touch(id: string, session: object): Promise<void>
  touch(id: string, session: object, callback?: Callback): void
  touch(id: string, session: object, callback?: Callback): Promise<void> | undefined {
    return answer(() => this.#touch(id, session), callback)
  }

  /** Ends a session for good, on every node. */
  destroy(id: string): Promise<void>
  destroy(id: string, callback?: Callback): void
  destroy(id: string, callback?: Callback): Promise<void> | undefined {
    return answer(() => this.#destroy(id), callback)
  }

  /** All live sessions, without their ids: those are kept nowhere, only hashes of them. */
  all<S = StoredSession>(): Promise<S[]>
  all<S = StoredSession>(callback: Callback<S[]>): void
  all(callback?: Callback<StoredSession[]>): Promise<StoredSession[]> | undefined {
    return answer(() => this.#all(), callback)
  }

  /** How many live sessions there are. */
  length(): Promise<number>
  length(callback: Callback<number>): void
  length(callback?: Callback<number>): Promise<number> | undefined {
    return answer(() => this.#length(), callback)
  }

  /** Ends all sessions, on every node. */
  clear(): Promise<void>
  clear(callback?: Callback): void
  clear(callback?: Callback): Promise<void> | undefined {
    return answer(() => this.#clear(), callback)
  }

  /** Loads a session outside of a request, as an object with the methods of `req.session`. */
  load<S = LoadedSession>(id: string): Promise<S | null>
  load<S = LoadedSession>(id: string, callback: Callback<S>): void
  load(id: string, callback?: Callback<object>): Promise<object | null> | undefined {
    const load = (): Answer<object | null> =>
      andThen(this.#get(id), (data) => (data === null ? null : this.createSession({ sessionID: id, sessionStore: this }, data)))
    return answer<object | null>(load, callback && ((error, session) => callback(error, session ?? undefined)))
  }

  /** Ends the session of a request, and gives it a new, empty one. */
  regenerate(req: StoreRequest): Promise<void>
  regenerate(req: StoreRequest, callback: Callback): void
  regenerate(req: StoreRequest, callback?: Callback): Promise<void> | undefined {
    return answer(() => this.#regenerate(req), callback)
  }

  /** Makes `req.session` of what `get` answered, and remembers what that was. `S`: the application's session type. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- only the application knows what it declared
  createSession<S extends object = LoadedSession>(req: StoreRequest, data: object): S
  createSession(req: StoreRequest, data: object): object {
    const { expressSession, now } = this.#options
    const session: object =
      expressSession === undefined
        ? new LoadedSession(req, data, this, now)
        : expressSession.Store.prototype.createSession.call(this, req, { ...data })
    this.#baselines.adopt(session, data)
    req.session = session
    return session
  }

  /** Makes `req.session` a new session. express-session installs it. */
  get generate(): (req: StoreRequest) => void {
    return this.#generate ?? notMounted
  }

  set generate(make: (req: StoreRequest) => void) {
    this.#generate = (req) => {
      make.call(this, req)
      if (typeof req.session === 'object' && req.session !== null) this.#baselines.start(req.session, req.sessionID)
    }
  }

  #get(id: string): Answer<StoredSession | null> {
    return andThen(this.#look(id), (found) => {
      if (found.state === 'none') return null
      // express-session says what it makes of it; others copy it.
      const data: Record<string, unknown> = this.#generate === undefined ? new Handed() : {}
      this.#baselines.handOut(data, baselineOf(id, found, data))
      return data
    })
  }

  #set(id: string, session: object): Answer<void> {
    return andThen(this.#baselines.of(session, id) ?? this.#find(id), (known) => {
      if (known === 'ended') return this.#gone()
      const now = this.#options.now()
      if (known === 'new') return this.#create(id, session, imageOf(session, now, this.#ttl, NOTHING))
      const baseline = settled(known)
      return this.#save(session, baseline, imageOf(session, now, this.#ttl, baseline))
    })
  }

  #touch(id: string, session: object): Answer<void> {
    const known = this.#baselines.of(session, id)
    return andThen(known === undefined || known === 'new' ? this.#find(id) : known, (found) => {
      if (found === 'new' || found === 'ended') return undefined
      const now = this.#options.now()
      const cookie = COOKIE in session ? session[COOKIE] : undefined
      if (cookie !== undefined) {
        const baseline = settled(found)
        const image = withCookie(cookie, now, this.#ttl, baseline)
        if (image.writes.length > 0 || image.idleMs !== baseline.maxIdleMs) return this.#save(session, baseline, image)
      }
      this.#backend.touch(found.ref, now)
      return undefined
    })
  }

  #destroy(id: string): Answer<void> {
    return andThen(this.#look(id), (found) => {
      return found.state === 'found' ? this.#end(found.ref, 'destroyed') : undefined
    })
  }

  #end(ref: SessionRef, reason: EndReason): Answer<void> {
    return andThen(this.#backend.destroy(ref, reason, this.#ending), () => {})
  }

  async #regenerate(req: StoreRequest): Promise<void> {
    try {
      await this.#destroy(req.sessionID)
    } finally {
      this.generate(req)
    }
  }

  #create(id: string, session: object, image: Image): Answer<void> {
    const { idLengthMin = ID_LENGTH_MIN, maxLifetime = Infinity } = this.#options
    if (image.idleMs <= 0 || (image.leftMs ?? 1) <= 0) return undefined
    if (id.length < idLengthMin) {
      throw new TypeError(`genid: ids of ${id.length} characters can be guessed (idLengthMin is ${idLengthMin})`)
    }
    assertWithin(image, NOTHING, this.#limits)
    const lives = { maxIdleMs: image.idleMs, maxLifeMs: maxLifetime }
    const { writes } = image
    return andThen(this.#backend.create({ writes }, { ...this.#saving, ...lives, id }), ({ outcome, ref }) => {
      if (outcome === 'gone') return this.#addTo(ref, id, session, image)
      this.counters.session_mesh_store_creates_total++
      this.#baselines.saved(session, after({ ...NOTHING, id, ref }, image))
      return undefined
    })
  }

  /** Another request made a session of this id at the same time: this one adds to it. */
  async #addTo(ref: SessionRef, id: string, session: object, image: Image): Promise<void> {
    this.counters.session_mesh_store_ids_in_use_total++
    const held = await this.#backend.read(ref)
    await this.#save(session, { ...NOTHING, id, ref, maxIdleMs: held?.maxIdleMs ?? image.idleMs }, image)
  }

  #save(session: object, baseline: Baseline, image: Image): Answer<void> {
    if (image.idleMs <= 0) return this.#end(baseline.ref, 'expired')
    const { writes } = image
    const isSameLifetime = image.idleMs === baseline.maxIdleMs
    if (writes.length === 0 && isSameLifetime) {
      this.counters.session_mesh_store_saves_unchanged_total++
      this.#backend.touch(baseline.ref, this.#options.now())
      return undefined
    }
    assertWithin(image, baseline, this.#limits)
    this.counters.session_mesh_store_saves_total++
    const delta = isSameLifetime ? { writes } : { writes, maxIdleMs: image.idleMs }
    return andThen(this.#backend.save(baseline.ref, delta, this.#saving), ({ outcome }) => {
      if (outcome === 'gone') return this.#gone()
      this.#baselines.saved(session, after(baseline, image))
    })
  }

  #gone(): void {
    this.counters.session_mesh_store_saves_gone_total++
    if (this.#options.onGone !== 'throw') return
    throw new SessionGoneError('the session ended while this request ran; what it wrote was not saved')
  }

  async #all(): Promise<StoredSession[]> {
    const sessions: StoredSession[] = []
    for await (const ref of this.#refs()) {
      const session = await this.#backend.read(ref)
      if (session !== undefined) {
        const data = {}
        hand(session, data)
        sessions.push(data)
      }
    }
    return sessions
  }

  async #length(): Promise<number> {
    let length = 0
    for await (const _ of this.#refs()) length++
    return length
  }

  async #clear(): Promise<void> {
    const refs: SessionRef[] = []
    for await (const ref of this.#refs()) refs.push(ref)
    for (let at = 0; at < refs.length; at += BATCH) {
      await Promise.all(refs.slice(at, at + BATCH).map(async (ref) => await this.#backend.destroy(ref, 'destroyed', this.#ending)))
    }
  }

  /** The live sessions of express-session, among which those of session-mesh's own middleware are not: they have no cookie. */
  async *#refs(): AsyncGenerator<SessionRef> {
    let seen = 0
    for await (const { birth, registers } of this.#backend.exportAll()) {
      if (++seen % BATCH === 0) await new Promise((resolve) => setImmediate(resolve))
      if (registers.some(({ name, value }) => name === COOKIE && value !== null)) yield birth
    }
  }

  /** What a session that nobody was handed here is compared with: what is stored. */
  #find(id: string): Answer<Baseline | 'new' | 'ended'> {
    return andThen(this.#look(id), (found) => {
      if (found.state === 'found') return baselineOf(id, found, {})
      return found.why === 'unknown' ? 'new' : 'ended'
    })
  }

  #look(id: string): Answer<Exclude<LoadResult, { state: 'behind' }>> {
    const { now, loadWithin = LOAD_WITHIN_MS } = this.#options
    return andThen(this.#backend.load(id, undefined, { deadline: now() + loadWithin }), (found) => {
      if (found.state !== 'behind') return found
      throw new NotReadyError('this node cannot tell yet whether it has the session', found.retryAfterMs)
    })
  }
}

function notMounted(): never {
  throw new Error('this store is not mounted: express-session installs generate()')
}
