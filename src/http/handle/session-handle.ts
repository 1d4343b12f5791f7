import { inspect } from 'node:util'
import { SessionGoneError } from '../../errors.js'
import type { SessionRecord, SessionRef } from '../../session/session.js'
import { assertAttributeName } from '../../session/value.js'
import type { Aliases } from '../carriers/accounts.js'
import type { Mount } from '../mount.js'
import type { CommitChoice, CommitOutcome, Session } from './session-types.js'
import { SessionValues } from './session-values.js'

export type { Session, SessionData } from './session-types.js'

/** What a session object asks of the request it belongs to. Each may answer at once, reject, or throw. */
export interface SessionOperations {
  commit(handle: SessionHandle, choice: CommitChoice): CommitOutcome | Promise<CommitOutcome>
  /** `principal`: whose the session is from now on, where that changes. */
  rotate(handle: SessionHandle, choice: CommitChoice, principal?: string | null): CommitOutcome | Promise<CommitOutcome>
  regenerate(choice: CommitChoice): CommitOutcome | Promise<CommitOutcome>
  destroy(handle: SessionHandle, choice: CommitChoice): CommitOutcome | Promise<CommitOutcome>
  reload(handle: SessionHandle): void | Promise<void>
  touch(handle: SessionHandle): void
  /** An attribute was assigned. */
  assigned(handle: SessionHandle): void
  aliases(handle: SessionHandle): Aliases
  urlFor(alias: string, url?: string): string
}

/** A session that a request has found in the backend, or made there. */
export interface BoundSession {
  readonly ref: SessionRef
  readonly id: string
}

/**
 * What one request knows of one session, and wants of it. The application sees its face, an object that looks like a
 * plain one (session-proxy.ts).
 */
export class SessionHandle {
  readonly mount: Mount
  readonly operations: SessionOperations
  /** Undefined as long as the backend has no such session. */
  bound: BoundSession | undefined = undefined
  readonly isNew: boolean
  createdAt: number | undefined = undefined
  lastAccessedAt: number | undefined = undefined
  principal: string | undefined = undefined
  /** To be written with the next commit. */
  wantedTtl: number | undefined = undefined
  /** Kept even if it stays empty: it was asked for by name. */
  mustExist = false
  /** The backend knows that this request used the session. */
  accessNoted = false
  /** Where the application first wrote to a session that is yet to be made, with `debug.creationStacks`. */
  origin: readonly string[] | undefined = undefined
  /** Why nothing can be written any more. */
  ended: 'destroyed' | 'replaced' | 'gone' | undefined = undefined
  /** A commit that nobody waited for found the session gone: the next one has to tell. */
  untold: SessionGoneError | undefined = undefined
  /** What the application has of it, once it asked. */
  face: Session | undefined = undefined
  values: SessionValues
  #ttl: number

  constructor(mount: Mount, operations: SessionOperations, record?: SessionRecord, bound?: BoundSession) {
    this.mount = mount
    this.operations = operations
    this.bound = bound
    this.isNew = bound === undefined
    this.createdAt = record?.createdAt
    this.lastAccessedAt = record?.lastAccessedAt
    this.principal = record?.principal
    this.#ttl = record?.maxIdleMs ?? mount.options.ttl
    this.values = this.#valuesOf(record)
  }

  /** Whether a commit would find nothing to do, as after most requests. */
  get clean(): boolean {
    return !this.values.mayDiffer && this.wantedTtl === undefined && !this.mustExist
  }

  get ttl(): number {
    return this.wantedTtl ?? this.#ttl
  }

  set ttl(ttl: number) {
    if (typeof ttl !== 'number' || !(ttl > 0)) {
      throw new TypeError(`session.ttl: ${String(ttl)} is not a positive number of milliseconds (Infinity: never)`)
    }
    this.assertWritable()
    this.wantedTtl = ttl
  }

  set(name: string, value: unknown): void {
    this.assertWritable()
    assertAttributeName(name)
    if (this.bound === undefined) this.origin ??= this.mount.creations?.capture()
    this.values.set(name, value)
    if (this.mount.options.flush === 'immediate') this.operations.assigned(this)
  }

  toObject(): Record<string, unknown> {
    return this.values.toObject()
  }

  /** console.log looks behind the proxy. What it gets is the same; no id of a session ends in a log this way. */
  [inspect.custom](): Record<string, unknown> {
    return this.toObject()
  }

  assertWritable(): void {
    switch (this.ended) {
      case 'destroyed':
        throw new SessionGoneError('the session was destroyed by this request, nothing can be written to it')
      case 'replaced':
        throw new SessionGoneError('this session was replaced by regenerate(), use req.session')
      case 'gone':
      case undefined:
    }
  }

  /** Takes what a load answered in place of everything known or wanted before. */
  adopt(record: SessionRecord): void {
    this.createdAt = record.createdAt
    this.lastAccessedAt = record.lastAccessedAt
    this.principal = record.principal
    this.wantedTtl = undefined
    this.#ttl = record.maxIdleMs
    this.values = this.#valuesOf(record)
  }

  /** The backend has the session with this idle lifetime, and knows that it was used. */
  settle(ttl: number): void {
    this.#ttl = ttl
    if (this.wantedTtl === ttl) this.wantedTtl = undefined
    this.mustExist = false
    this.accessNoted = true
  }

  /** Over: with nothing left to read, or as it was. */
  end(how: 'destroyed' | 'replaced' | 'gone'): void {
    this.ended = how
    if (how === 'destroyed') this.values = this.#valuesOf(undefined)
  }

  #valuesOf(record: SessionRecord | undefined): SessionValues {
    const { options, onUndecodable } = this.mount
    return new SessionValues(record?.attributes, options, onUndecodable)
  }
}
