import { SessionGoneError } from '../errors.js'
import type { SessionRef } from '../session/session.js'
import type { Session } from './session-types.js'
import type { SocketGroup } from './socket-group.js'
import type { SocketSession } from './socket-session.js'

/** A connection that outlives its request: a WebSocket, a Socket.IO socket, an event stream. */
export interface BindableSocket {
  /** Calls `heard` whenever something arrives from the browser. */
  onMessage(heard: () => void): void
  /** Calls `gone` when the connection is over. */
  onClose(gone: () => void): void
  /** Ends the connection. Nothing that arrives afterwards may reach the application. */
  close(code: number, reason: string): void
  /** Holds back what arrives while the session is looked up; `release` lets it go on. */
  hold?(): void
  release?(): void
}

export interface BindOptions {
  /** A connection whose request has no session: closed with 1008, or left alone. Default 'close'. */
  readonly anonymous?: 'allow' | 'close' | undefined
  /** Connections of one session on this node at most; one more is closed with 1008. Default 100. */
  readonly perSession?: number | undefined
}

/** A connection that was bound. */
export interface BoundSocket {
  /** Undefined: the connection has no session. */
  readonly ref: SessionRef | undefined
  /** The session as it is now; undefined where there is none. Rejects with SessionGoneError once it has ended. */
  session(): Promise<Session | undefined>
}

/** One connection on its way from its request to its end. */
export class SocketBinding implements BoundSocket {
  readonly socket: BindableSocket
  /** Undefined as long as it has no session, and for good where its request had none. */
  group: SocketGroup | undefined = undefined
  /** The connection is over. */
  isClosed = false
  /** It was closed for want of a session, or because nobody could tell whether it has one. */
  isRefused = false
  #session: SocketSession | undefined

  constructor(socket: BindableSocket) {
    this.socket = socket
  }

  get ref(): SessionRef | undefined {
    return this.group?.ref
  }

  sit(group: SocketGroup, session: SocketSession): void {
    this.group = group
    this.#session = session
  }

  async session(): Promise<Session | undefined> {
    if (this.isRefused) throw new SessionGoneError('this connection was refused: it has no session')
    return await this.#session?.open()
  }
}
