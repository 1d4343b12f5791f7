import type { Answer, LoadResult } from '../../backend/backend.js'
import { NotReadyError, SessionGoneError, SessionNotLoadedError } from '../../errors.js'
import { andThen } from '../answer.js'
import { aliasesOf, type Accounts, type Aliases } from '../carriers/accounts.js'
import { addressOf } from '../carriers/alias-place.js'
import type { ResponseHeader } from '../carriers/carrier.js'
import { commitThisTurn } from '../handle/immediate.js'
import { SessionHandle, type SessionOperations } from '../handle/session-handle.js'
import { faceOf } from '../handle/session-proxy.js'
import type { CommitChoice, CommitOutcome, Session } from '../handle/session-types.js'
import type { Mount } from '../mount.js'
import type { Gate, GateKeeper } from '../response/gate.js'
import { Turns } from '../turns.js'
import { Committer } from './committer.js'
import type { RequestHead } from './request-head.js'

type None = Extract<LoadResult, { state: 'none' }>['why']

/**
 * The session of one request: loads it by the ids the request brings, hands it out as `req.session`, and sees that
 * what the application did to it is in the backend before the headers of the response leave.
 */
export class RequestSession implements GateKeeper, SessionOperations {
  /** What holds the response back while this is at work. */
  gate: Gate | undefined
  readonly #mount: Mount
  readonly #req: RequestHead
  readonly #startedAt: number
  readonly #ids: readonly string[]
  readonly #committer: Committer
  #handle: SessionHandle | undefined
  #loading: Promise<void> | undefined
  #loadError: unknown
  /** Why none of the ids looked up so far names a session. */
  #why: None = 'unknown'
  #retryAfterMs: number | undefined
  /** `req.session = null` was said, and not regenerated since. */
  #discarded = false
  #discarding: Promise<unknown> | undefined
  /** A commit, destroy or reload in progress: what comes next waits for it. */
  readonly #turns = new Turns()

  constructor(mount: Mount, req: RequestHead) {
    this.#mount = mount
    this.#req = req
    this.#startedAt = mount.now()
    this.#ids = mount.carrier.ids(req)
    const seen = this.#ids.length === 0 ? undefined : mount.carrier.seen(req)
    this.#committer = new Committer(mount, req, seen, this.#ids.length > 0)
  }

  /** What this request has found or made, for whoever goes on after it; undefined until it was looked up. */
  get handle(): SessionHandle | undefined {
    return this.#handle
  }

  /** What the application gets as `req.session`. */
  get session(): Session | null {
    if (this.#handle === undefined) {
      if (this.#loadError !== undefined) throw this.#loadError
      throw new SessionNotLoadedError('req.session is loaded on demand here: await cluster.session(req) first')
    }
    return this.#discarded ? null : faceOf(this.#handle)
  }

  /** What `req.session = value` does. */
  assign(value: unknown): void {
    if (value !== null) {
      const given = Array.isArray(value) ? 'an array' : `a ${typeof value}`
      throw new TypeError(`req.session cannot be replaced by ${given}: set its attributes; null ends the session`)
    }
    const handle = this.#handle
    if (handle === undefined || this.#discarded) return
    this.#discarded = true
    const ended = this.destroy(handle, {})
    if (!(ended instanceof Promise)) return
    // A failure is met by the response, which waits for this.
    ended.catch(() => {})
    this.#discarding = ended
  }

  /** Looks the session up, once. Answers at once where the backend does. Throws or rejects when it cannot tell. */
  load(): Promise<void> | undefined {
    if (this.#handle !== undefined) return undefined
    this.#loading ??= this.#load()
    return this.#loading
  }

  // ── As the commit gate sees it ──────────────────────────────────────────────────────────────────────────────────

  beforeHeaders(): Promise<void> | undefined {
    if (this.#turns.tail !== undefined) return this.#afterTail(() => this.beforeHeaders())
    const handle = this.#handle
    if (handle === undefined) return undefined
    const answer = handle.clean ? 'done' : this.#turns.run(() => this.#committer.commit(handle, {}))
    if (answer instanceof Promise) return answer.then(() => this.#committer.noteAccess(handle, this.#startedAt))
    this.#committer.noteAccess(handle, this.#startedAt)
    return undefined
  }

  headersLeave(): readonly ResponseHeader[] {
    return this.#committer.headersLeave()
  }

  beforeEnd(): Promise<void> | undefined {
    if (this.#turns.tail !== undefined) return this.#afterTail(() => this.beforeEnd())
    const handle = this.#handle
    if (handle === undefined || handle.clean) return undefined
    const answer = this.#turns.run(() => this.#committer.commit(handle, {}))
    return answer instanceof Promise ? answer.then(() => undefined) : undefined
  }

  commitFailed(): void {
    this.#mount.counters.session_mesh_http_commit_failures_total++
  }

  lateCommitFailed(error: unknown): void {
    this.#mount.counters.session_mesh_http_late_commit_failures_total++
    this.#mount.logFailure('session-late-commit-failed', error)
  }

  // ── As the session object sees it ───────────────────────────────────────────────────────────────────────────────

  commit(handle: SessionHandle, choice: CommitChoice): Answer<CommitOutcome> {
    return this.#turns.run(() => this.#committer.commit(handle, choice))
  }

  rotate(handle: SessionHandle, choice: CommitChoice, principal?: string | null): Answer<CommitOutcome> {
    handle.assertWritable()
    return this.#turns.run(() => this.#committer.rotate(handle, choice, principal))
  }

  regenerate(choice: CommitChoice): Answer<CommitOutcome> {
    return this.#turns.run(() => {
      const old = this.#handle
      this.#committer.assertCanGrant('regenerate')
      const replace = (outcome: CommitOutcome): CommitOutcome => {
        if (old !== undefined && old.ended === undefined) old.end('replaced')
        this.#handle = new SessionHandle(this.#mount, this)
        this.#handle.mustExist = true
        this.#discarded = false
        return outcome
      }
      if (old?.bound === undefined || old.ended !== undefined) return replace('done')
      return andThen(this.#committer.end(old, 'replaced', choice), replace)
    })
  }

  destroy(handle: SessionHandle, choice: CommitChoice): Answer<CommitOutcome> {
    return this.#turns.run(() => this.#committer.destroy(handle, choice))
  }

  reload(handle: SessionHandle): Answer<void> {
    return this.#turns.run(() => {
      handle.assertWritable()
      if (handle.bound === undefined) throw new SessionGoneError('session.reload(): there is no session yet')
      return andThen(this.#lookUp(handle.bound.id), (result) => {
        if (result.state === 'found') handle.adopt(result.session)
        else if (result.state === 'behind') throw this.#notReady(result.retryAfterMs)
        else throw new SessionGoneError('session.reload(): the session has ended')
      })
    })
  }

  touch(handle: SessionHandle): void {
    this.#committer.touch(handle, this.#mount.now())
  }

  assigned(handle: SessionHandle): void {
    commitThisTurn(handle)
  }

  aliases(handle: SessionHandle): Aliases {
    return aliasesOf(this.#accounts(), this.#req, handle.bound !== undefined && handle.ended === undefined)
  }

  urlFor(alias: string, url?: string): string {
    return this.#accounts().urlFor(alias, url ?? addressOf(this.#req))
  }

  #accounts(): Accounts {
    const { accounts } = this.#mount.carrier
    if (accounts !== undefined) return accounts
    throw new Error('one session per browser is all there is here: several need the option accounts')
  }

  // ── Loading ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #load(): Promise<void> | undefined {
    try {
      for (let i = 0; i < this.#ids.length; i++) {
        const id = this.#ids[i] ?? ''
        const answer = this.#lookUp(id)
        if (answer instanceof Promise) return this.#loadRest(answer, i)
        if (this.#take(answer, id)) return undefined
      }
      this.#notFound()
      return undefined
    } catch (error) {
      throw this.#loadFailed(error)
    }
  }

  /** The same, from an id on whose answer does not come at once. */
  async #loadRest(first: Promise<LoadResult>, at: number): Promise<void> {
    try {
      for (let i = at; i < this.#ids.length; i++) {
        const id = this.#ids[i] ?? ''
        if (this.#take(await (i === at ? first : this.#lookUp(id)), id)) return
      }
      this.#notFound()
    } catch (error) {
      throw this.#loadFailed(error)
    }
  }

  /** Whether the answer is the session; else notes why not. */
  #take(result: LoadResult, id: string): boolean {
    switch (result.state) {
      case 'found':
        this.#found(result, id)
        return true
      case 'behind':
        this.#retryAfterMs = Math.max(this.#retryAfterMs ?? 0, result.retryAfterMs)
        return false
      case 'none':
        if (this.#why !== 'rotated' && result.why !== 'unknown') this.#why = result.why
        return false
    }
  }

  #lookUp(id: string): Answer<LoadResult> {
    const deadline = this.#mount.now() + this.#mount.options.loadWithin
    return this.#mount.backend.load(id, this.#committer.seen, { deadline })
  }

  #found({ ref, session, seen, stale }: Extract<LoadResult, { state: 'found' }>, id: string): void {
    const { counters } = this.#mount
    counters.session_mesh_http_sessions_found_total++
    if (stale === true) counters.session_mesh_http_sessions_stale_total++
    this.#committer.found(id, seen)
    this.#handle = new SessionHandle(this.#mount, this, session, { ref, id })
  }

  #notFound(): void {
    if (this.#retryAfterMs !== undefined) throw this.#notReady(this.#retryAfterMs)
    const why = this.#why
    if (this.#ids.length > 0) this.#mount.counters[`session_mesh_http_sessions_not_found_total{why="${why}"}`]++
    this.#committer.arrivedRotated = why === 'rotated'
    this.#handle = new SessionHandle(this.#mount, this)
  }

  #notReady(retryAfterMs: number): NotReadyError {
    this.#mount.counters.session_mesh_http_not_ready_total++
    return new NotReadyError('this node cannot tell yet whether the session of this request lives', retryAfterMs)
  }

  #loadFailed(error: unknown): unknown {
    if (!(error instanceof NotReadyError)) this.#mount.counters.session_mesh_http_load_failures_total++
    this.#loadError = error
    return error
  }

  /** Goes on when nothing is in progress; not at all when the end of a session failed that nobody else waited for. */
  async #afterTail(next: () => Promise<void> | undefined): Promise<void> {
    await this.#turns.tail
    const discarding = this.#discarding
    this.#discarding = undefined
    await discarding
    await next()
  }
}
