import type { SessionRef } from '../../session/session.js'
import type { Session } from '../handle/session-types.js'

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
