import type { IncomingMessage } from 'node:http'
import type { Answer, SessionBackend } from '../../backend/backend.js'
import { SessionGoneError } from '../../errors.js'
import type { SessionRecord } from '../../session/session.js'
import { andThen } from '../answer.js'
import { commitThisTurn } from '../handle/immediate.js'
import { SessionHandle, type BoundSession, type SessionOperations } from '../handle/session-handle.js'
import { faceOf } from '../handle/session-proxy.js'
import type { CommitChoice, CommitOutcome, Session } from '../handle/session-types.js'
import type { Mount } from '../mount.js'
import { Committer } from '../request/committer.js'
import { Turns } from '../turns.js'

/**
 * The session of one socket. It has no response, so nothing is committed by itself, and the browser can get no new id
 * here. It follows the session through rotations, because it knows it by its ref.
 */
export class SocketSession implements SessionOperations {
  readonly #mount: Mount
  readonly #bound: BoundSession
  readonly #committer: Committer
  readonly #turns = new Turns()

  constructor(mount: Mount, req: IncomingMessage, bound: BoundSession) {
    this.#mount = mount
    this.#bound = bound
    this.#committer = new Committer(mount, req, undefined, true)
    this.#committer.headersLeave()
  }

  /** As it is in the backend now. Each call has its own copy, as each request has. */
  async open(): Promise<Session> {
    return faceOf(new SessionHandle(this.#mount, this, await this.#read(), this.#bound))
  }

  commit(handle: SessionHandle, choice: CommitChoice): Answer<CommitOutcome> {
    return this.#turns.run(() => this.#committer.commit(handle, choice))
  }

  rotate(): never {
    throw cannotGrant('a new id')
  }

  regenerate(): never {
    throw cannotGrant('a new session')
  }

  destroy(handle: SessionHandle, choice: CommitChoice): Answer<CommitOutcome> {
    return this.#turns.run(() => this.#committer.destroy(handle, choice))
  }

  reload(handle: SessionHandle): Answer<void> {
    return this.#turns.run(() => {
      handle.assertWritable()
      return andThen(this.#read(), (record) => handle.adopt(record))
    })
  }

  touch(handle: SessionHandle): void {
    this.#committer.touch(handle, this.#mount.now())
  }

  assigned(handle: SessionHandle): void {
    commitThisTurn(handle)
  }

  aliases(): never {
    throw new Error('session.aliases(): ask in an HTTP request')
  }

  urlFor(): never {
    throw new Error('session.urlFor(): ask in an HTTP request')
  }

  #read(): Answer<SessionRecord> {
    const { backend }: { readonly backend: SessionBackend } = this.#mount
    return andThen(backend.read(this.#bound.ref), (record) => {
      if (record === undefined) throw new SessionGoneError('the session of this socket has ended')
      return record
    })
  }
}

function cannotGrant(what: string): Error {
  const error = new Error(`the browser cannot get ${what} through a socket: do that in an HTTP request`)
  return Object.assign(error, { code: 'ERR_HTTP_HEADERS_SENT' })
}
