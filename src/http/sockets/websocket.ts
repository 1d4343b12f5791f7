import type { IncomingMessage } from 'node:http'
import type { Session } from '../handle/session-types.js'
import type { BindableSocket, BindOptions, BoundSocket } from './bindable-socket.js'
import type { SocketBinder } from './socket-binder.js'

/** What is needed of a `WebSocket` of the package ws. */
export interface WebSocketLike {
  on(event: 'message' | 'pong' | 'close', listener: () => void): unknown
  off(event: 'message' | 'pong' | 'close', listener: () => void): unknown
  emit(event: string | symbol, ...args: unknown[]): boolean
  close(code: number, reason: string): void
  pause(): void
  resume(): void
}

/** What is needed of a `WebSocketServer` of the package ws. */
export interface WebSocketServerLike {
  prependListener(event: 'connection', listener: (socket: WebSocketLike, req: IncomingMessage) => void): unknown
  off(event: 'connection', listener: (socket: WebSocketLike, req: IncomingMessage) => void): unknown
}

export interface WebSocketOptions extends BindOptions {
  /** A pong keeps the session alive as a message does: as long as the page is open. Default false. */
  readonly touchOnPong?: boolean | undefined
}

/** Binds every WebSocket of a server to the session of the request that it began with. */
export class WebSockets {
  readonly #binder: SocketBinder
  readonly #bound = new WeakMap<WebSocketLike, Promise<BoundSocket>>()

  constructor(binder: SocketBinder) {
    this.#binder = binder
  }

  /** From now on. Answers how to stop; sockets that are bound stay so. */
  serve(server: WebSocketServerLike, options: WebSocketOptions = {}): () => void {
    const connected = (socket: WebSocketLike, req: IncomingMessage): void => {
      this.#bound.set(socket, this.#binder.bind(bindable(socket, options.touchOnPong === true), req, options))
    }
    // First of all listeners: the application's own finds the socket bound, or closing.
    server.prependListener('connection', connected)
    return () => void server.off('connection', connected)
  }

  /** The session of a socket as it is now; undefined where it has none. */
  async session(socket: WebSocketLike): Promise<Session | undefined> {
    const bound = await this.#bound.get(socket)
    if (bound === undefined) throw new Error('this socket is not bound: cluster.bindWebSocket(server) must come first')
    return await bound.session()
  }
}

function bindable(socket: WebSocketLike, touchOnPong: boolean): BindableSocket {
  return {
    onMessage: (heard) => {
      socket.on('message', heard)
      if (touchOnPong) socket.on('pong', heard)
      socket.on('close', () => {
        socket.off('message', heard)
        socket.off('pong', heard)
      })
    },
    onClose: (gone) => void socket.on('close', gone),
    close: (code, reason) => {
      mute(socket)
      socket.close(code, reason)
    },
    hold: () => socket.pause(),
    release: () => socket.resume(),
  }
}

/** The other end may go on sending until it has answered the close; nothing of that reaches the application. */
function mute(socket: WebSocketLike): void {
  const emit = socket.emit.bind(socket)
  socket.emit = (event, ...args) => event !== 'message' && emit(event, ...args)
}
