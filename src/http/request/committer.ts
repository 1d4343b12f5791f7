import type { Answer, Committed, CommitOptions, Created, CreateOptions, Rotated, SeenTokens } from '../../backend/backend.js'
import { SessionGoneError } from '../../errors.js'
import type { AttributeWrite, EndReason, SessionDelta } from '../../session/session.js'
import { andThen } from '../answer.js'
import type { ResponseHeader } from '../carriers/carrier.js'
import type { BoundSession, SessionHandle } from '../handle/session-handle.js'
import type { CommitChoice, CommitOutcome } from '../handle/session-types.js'
import type { Mount } from '../mount.js'
import { Delivery } from './delivery.js'
import type { RequestHead } from './request-head.js'

const NO_OPTIONS: CommitOptions = {}

/**
 * Brings what one request did to its sessions into the backend, and what the browser has to learn of it into the
 * headers of the response. One thing at a time; who calls sees to that.
 */
export class Committer {
  readonly #mount: Mount
  /** What the browser brought along. */
  readonly seen: SeenTokens | undefined
  /** The request came with an id that was replaced: its browser may hold a newer one already. */
  arrivedRotated = false
  readonly #delivery: Delivery

  constructor(mount: Mount, req: RequestHead, seen: SeenTokens | undefined, browserHasId: boolean) {
    this.#mount = mount
    this.seen = seen
    this.#delivery = new Delivery(mount, req, browserHasId)
  }

  /** What has to be in the head of the response; afterwards nothing can be added. */
  headersLeave(): readonly ResponseHeader[] {
    return this.#delivery.leave()
  }

  /** The request's session was found, by this id of those it brings. */
  found(id: string, seen: SeenTokens | undefined): void {
    this.#delivery.foundBy = id
    if (seen !== undefined) this.#delivery.stamp(seen)
  }

  /** Writes what changed: into the session that was loaded, or into a new one. */
  commit(handle: SessionHandle, choice: CommitChoice): Answer<CommitOutcome> {
    const { untold } = handle
    handle.untold = undefined
    if (untold !== undefined) throw untold
    if (handle.ended !== undefined) return handle.ended === 'gone' ? 'gone' : 'done'
    const writes = this.#changes(handle)
    const { bound } = handle
    const delta = deltaOf(handle, writes)
    if (bound === undefined) return this.#commitNew(handle, delta, choice)
    if (writes.length === 0 && delta.maxIdleMs === undefined) return 'done'
    if (this.#mount.options.lateWrites === 'drop') {
      return andThen(this.#isLate(bound), (late) => (late ? this.#dropLate(handle) : this.#save(handle, bound, delta, choice)))
    }
    return this.#save(handle, bound, delta, choice)
  }

  /** A new id, and what changed, in one step; a new session where there is none or it has ended. */
  rotate(handle: SessionHandle, choice: CommitChoice, principal?: string | null): Answer<CommitOutcome> {
    this.assertCanGrant('rotate')
    const { principalLimit } = this.#mount
    const rotate = (): Answer<CommitOutcome> => this.#rotate(handle, choice, principal)
    if (principalLimit === undefined || typeof principal !== 'string') return rotate()
    return principalLimit.within(principal, () => handle.bound?.ref, rotate)
  }

  #rotate(handle: SessionHandle, choice: CommitChoice, principal?: string | null): Answer<CommitOutcome> {
    const writes = this.#changes(handle)
    const delta = deltaOf(handle, writes, principal)
    const { bound } = handle
    if (bound === undefined) return this.#create(handle, delta, choice)
    const obstacle = this.#delivery.obstacle()
    if (obstacle !== undefined) return this.#drop('no-carrier', obstacle)

    const { backend } = this.#mount
    const replaceId = (): Answer<Rotated> => backend.rotate(bound.ref, delta, this.#options(choice))
    return andThen(this.#delivery.prepare(replaceId), (rotated) => {
      if (rotated.outcome === 'gone') {
        this.#mount.counters.session_mesh_http_commits_gone_total++
        return this.#startAnew(handle, delta, choice)
      }
      this.#grant(handle, { ref: bound.ref, id: rotated.id })
      return this.#settle(handle, delta, rotated)
    })
  }

  destroy(handle: SessionHandle, choice: CommitChoice): Answer<CommitOutcome> {
    if (handle.ended === 'destroyed' || handle.ended === 'replaced') return 'gone'
    return andThen(this.#delivery.prepare(() => this.end(handle, 'destroyed', choice)), (outcome) => {
      handle.end('destroyed')
      this.#delivery.revoke()
      return outcome
    })
  }

  /** Ends the session in the backend, if there is one. */
  end(handle: SessionHandle, reason: EndReason, choice: CommitChoice): Answer<CommitOutcome> {
    if (handle.bound === undefined || handle.ended === 'gone') return 'gone'
    const { backend } = this.#mount
    return andThen(backend.destroy(handle.bound.ref, reason, this.#options(choice)), (ended) => {
      if (ended.outcome !== 'gone') this.#mount.attributes?.ended(handle)
      return this.#outcome(ended)
    })
  }

  /** The request used the session: notes that, unless the last note of it is recent enough. */
  noteAccess(handle: SessionHandle, at: number): void {
    const { options } = this.#mount
    const { bound } = handle
    if (bound === undefined || handle.ended !== undefined) return
    if (!handle.accessNoted && at - (handle.lastAccessedAt ?? 0) >= options.touchAfter) this.touch(handle, at)
    if (options.rolling) this.#delivery.renew(bound.id)
  }

  touch(handle: SessionHandle, at: number): void {
    if (handle.bound === undefined || handle.ended !== undefined) return
    this.#mount.counters.session_mesh_http_touches_total++
    handle.accessNoted = true
    this.#mount.backend.touch(handle.bound.ref, at)
  }

  /** Throws when the browser cannot get a new id any more: for calls that are about nothing else. */
  assertCanGrant(call: string): void {
    if (!this.#delivery.left) return
    const error = new Error(`session.${call}(): the headers were sent, the browser cannot get a new id any more`)
    throw Object.assign(error, { code: 'ERR_HTTP_HEADERS_SENT' })
  }

  #commitNew(handle: SessionHandle, delta: SessionDelta, choice: CommitChoice): Answer<CommitOutcome> {
    if (delta.writes.length === 0 && !handle.mustExist) return 'done'
    if (this.arrivedRotated && !handle.mustExist) {
      return this.#drop('rotated', 'a request with a replaced id wrote to its session; the browser has a newer one by now')
    }
    if (this.#delivery.left) {
      return this.#drop('headers-sent', 'a new session was written to after the headers were sent, so without a cookie')
    }
    return this.#create(handle, delta, choice)
  }

  #create(handle: SessionHandle, delta: SessionDelta, choice: CommitChoice): Answer<CommitOutcome> {
    const { options, counters } = this.#mount
    const obstacle = this.#delivery.obstacle()
    if (obstacle !== undefined) return this.#drop('no-carrier', obstacle)
    const { writes, principal } = delta
    const first = principal === undefined ? { writes } : { writes, principal }
    const lives = { maxIdleMs: handle.ttl, maxLifeMs: options.maxLifetime }
    const how = this.#options(choice)
    return andThen(this.#make(first, how === NO_OPTIONS ? lives : { ...how, ...lives }), (created) => {
      counters.session_mesh_http_sessions_created_total++
      handle.createdAt = this.#mount.now()
      handle.lastAccessedAt = handle.createdAt
      this.#grant(handle, created)
      const { creations } = this.#mount
      creations?.note(created.ref, handle.origin ?? creations.capture())
      return this.#settle(handle, delta, created)
    })
  }

  #make(first: SessionDelta, options: CreateOptions): Answer<Created> {
    return this.#delivery.prepare(() => {
      this.#delivery.assertRoom()
      return this.#mount.backend.create(first, options)
    })
  }

  #save(handle: SessionHandle, { ref }: BoundSession, delta: SessionDelta, choice: CommitChoice): Answer<CommitOutcome> {
    return andThen(this.#mount.backend.save(ref, delta, this.#options(choice)), (saved) =>
      saved.outcome === 'gone' ? this.#gone(handle, delta, choice) : this.#settle(handle, delta, saved),
    )
  }

  /** The session ended while the request ran. It stays so. */
  #gone(handle: SessionHandle, delta: SessionDelta, choice: CommitChoice): Answer<CommitOutcome> {
    this.#mount.counters.session_mesh_http_commits_gone_total++
    switch (this.#mount.options.onGone) {
      case 'ignore':
        handle.end('gone')
        return 'gone'
      case 'throw':
        handle.end('gone')
        throw new SessionGoneError('the session ended while this request ran; what it wrote was not saved')
      case 'restart':
        if (!this.#delivery.left) return this.#startAnew(handle, delta, choice)
        handle.end('gone')
        return this.#drop('headers-sent', 'a session ended while a request streamed, too late for a new cookie')
    }
  }

  /** A new session, of what this request wrote and nothing older: what had ended stays ended. */
  #startAnew(handle: SessionHandle, delta: SessionDelta, choice: CommitChoice): Answer<CommitOutcome> {
    handle.bound = undefined
    handle.principal = undefined
    handle.values.keepOnly(delta.writes)
    const writes = delta.writes.filter(({ value }) => value !== null)
    return this.#create(handle, { ...delta, writes }, choice)
  }

  #settle(handle: SessionHandle, delta: SessionDelta, committed: Committed): CommitOutcome {
    this.#mount.counters.session_mesh_http_commits_total++
    this.#mount.attributes?.committed(handle, delta.writes)
    handle.values.commit(delta.writes)
    handle.settle(delta.maxIdleMs ?? handle.ttl)
    if (delta.principal !== undefined) handle.principal = delta.principal ?? undefined
    return this.#outcome(committed)
  }

  #outcome({ outcome, seen }: Committed): CommitOutcome {
    if (outcome === 'unknown') this.#mount.counters.session_mesh_http_commits_unknown_total++
    if (seen !== undefined) this.#delivery.stamp(seen)
    return outcome
  }

  #changes(handle: SessionHandle): readonly AttributeWrite[] {
    const writes = handle.values.changes()
    if (writes.length > 0) handle.values.assertWithin(this.#mount.options.limits, writes)
    return writes
  }

  /** Whether the id that the session was loaded by has been replaced since. */
  #isLate({ id }: BoundSession): Answer<boolean> {
    const { backend, options, now } = this.#mount
    const found = backend.load(id, this.seen, { deadline: now() + options.loadWithin })
    return andThen(found, ({ state }) => state === 'none')
  }

  #dropLate(handle: SessionHandle): CommitOutcome {
    handle.end('gone')
    return this.#drop('late', 'a request wrote to its session after the id it came with was replaced (lateWrites)')
  }

  #drop(why: 'rotated' | 'late' | 'headers-sent' | 'no-carrier', detail: string): CommitOutcome {
    this.#mount.countDrop(why, detail)
    return 'gone'
  }

  #grant(handle: SessionHandle, bound: BoundSession): void {
    handle.bound = { ref: bound.ref, id: bound.id }
    this.#delivery.grant(bound.id)
  }

  #options(choice: CommitChoice): CommitOptions {
    if (this.seen === undefined && choice.acks === undefined && choice.within === undefined) return NO_OPTIONS
    return {
      ...(choice.acks === undefined ? {} : { acks: choice.acks }),
      ...(choice.within === undefined ? {} : { withinMs: choice.within }),
      ...(this.seen === undefined ? {} : { seen: this.seen }),
    }
  }
}

function deltaOf(handle: SessionHandle, writes: readonly AttributeWrite[], principal?: string | null): SessionDelta {
  const { wantedTtl } = handle
  if (wantedTtl === undefined && principal === undefined) return { writes }
  return {
    writes,
    ...(wantedTtl === undefined ? {} : { maxIdleMs: wantedTtl }),
    ...(principal === undefined ? {} : { principal }),
  }
}
