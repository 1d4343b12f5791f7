import { SessionGoneError } from '../../errors.js'
import type { SessionRef } from '../../session/session.js'
import type { Session } from '../handle/session-types.js'
import type { BindableSocket, BoundSocket } from './bindable-socket.js'
import type { Seat, SocketGroup } from './socket-group.js'
import type { SocketSession } from './socket-session.js'

/** One connection on its way from its request to its end. */
export class SocketBinding implements BoundSocket, Seat {
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
