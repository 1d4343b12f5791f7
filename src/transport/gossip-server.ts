/**
 * The HTTP server of the gossip port. Nothing is served on it but the upgrade of another node; everything
 * else is refused by name before a WebSocket exists.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Address } from '../address.js'
import { type Bounds, MAX_HEADER_BYTES, MAX_HEADERS } from './limits.js'

export const PATH = '/session-mesh'
export const SUBPROTOCOL = 'session-mesh.1'

/** PEM texts. Both ends show a certificate of the same authority. */
export interface TlsFiles {
  readonly key: string
  readonly cert: string
  readonly ca: string
}

export interface GossipServerEvents {
  /** A proper upgrade request. `pending` is its place among the connections that are not authenticated. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, pending: Pending): void
  refused(rule: string, remote: string): void
}

/** A connection that has not authenticated itself. */
export class Pending {
  /** What to do at the handshake deadline; at first, cut it. */
  expire: () => void
  readonly #release: () => void

  constructor(expire: () => void, release: () => void) {
    this.expire = expire
    this.#release = release
  }

  /** It is authenticated, or refused: it no longer counts, and the deadline is off. */
  release(): void {
    this.#release()
  }
}

export class GossipServer {
  readonly #server: Server
  readonly #bounds: Bounds
  readonly #events: GossipServerEvents
  readonly #sockets = new Set<Socket>()
  /** By remote address and port: a TLS socket and the TCP socket under it are two objects. */
  readonly #pending = new Map<string, Pending>()

  constructor(tls: TlsFiles | undefined, bounds: Bounds, events: GossipServerEvents) {
    this.#bounds = bounds
    this.#events = events
    const options = {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: bounds.handshakeMs,
      requestTimeout: bounds.handshakeMs,
      requireHostHeader: false,
    }
    const mutual = {
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      handshakeTimeout: bounds.handshakeMs,
    } as const
    const isPlain = tls === undefined
    this.#server = isPlain ? createServer(options) : createTlsServer({ ...options, ...tls, ...mutual })
    // One more than allowed, so that too many can be told from the most; Node drops the others.
    this.#server.maxHeadersCount = MAX_HEADERS + 1
    this.#server.on('connection', (socket) => this.#onConnection(socket))
    this.#server.on('request', (request, response) => this.#onRequest(request, response))
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket as Socket, head))
    this.#server.on('clientError', (error, socket) => this.#onClientError(error, socket as Socket))
    this.#server.on('tlsClientError', (error: Error, socket: Socket) => this.#onTlsError(error, socket))
  }

  /** Resolves with the port that it listens on. */
  async listen({ host, port }: Address): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        // Failing to accept one connection must not end the process.
        this.#server.on('error', () => this.#events.refused('accept', 'unknown'))
        resolve()
      })
    })
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  /** Stops listening; connections that are not authenticated are cut. */
  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) {
      const pending = this.#pending.get(keyOf(socket))
      if (pending === undefined) continue
      pending.release()
      socket.destroy()
    }
  }

  /** Cuts what is still open. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #onConnection(socket: Socket): void {
    const key = keyOf(socket)
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.#pending.size >= this.#bounds.pending) {
      this.#events.refused('too-many-pending', remoteOf(socket))
      socket.destroy()
      return
    }
    const timer = setTimeout(() => pending.expire(), this.#bounds.handshakeMs)
    const release = (): void => {
      clearTimeout(timer)
      if (this.#pending.get(key) === pending) this.#pending.delete(key)
    }
    const expire = (): void => {
      this.#events.refused('timeout', remoteOf(socket))
      socket.destroy()
    }
    const pending = new Pending(expire, release)
    this.#pending.set(key, pending)
    socket.once('close', release)
  }

  // ── What is not an upgrade ───────────────────────────────────────────────────────────────────────────────

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { rule, status } = refusalOf(request) ?? { rule: 'no-upgrade', status: 426 }
    this.#events.refused(rule, remoteOf(request.socket))
    response.writeHead(status, {
      Connection: status === 426 ? 'Upgrade, close' : 'close',
      ...(status === 426 ? { Upgrade: 'websocket' } : {}),
      ...(status === 405 ? { Allow: 'GET' } : {}),
      'Content-Type': 'text/plain',
    })
    response.end(`${STATUS_CODES[status]}\n`)
  }

  #onClientError(error: Error, socket: Socket): void {
    const code = 'code' in error ? error.code : undefined
    if (code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    if (looksLikeTls(error)) {
      this.#events.refused('tls-not-expected', remoteOf(socket))
      socket.destroy()
    } else if (code === 'HPE_HEADER_OVERFLOW') {
      this.#refuse(socket, 'headers', 431)
    } else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
      this.#refuse(socket, 'timeout', 408)
    } else {
      this.#refuse(socket, 'bad-request', 400)
    }
  }

  #onTlsError(error: Error, socket: Socket): void {
    const code = 'code' in error ? String(error.code) : ''
    const plain = /HTTP_REQUEST|WRONG_VERSION|PACKET_LENGTH|UNKNOWN_PROTOCOL/.test(code)
    this.#events.refused(plain ? 'tls-expected' : 'tls', remoteOf(socket))
    socket.destroy()
  }

  // ── The upgrade ──────────────────────────────────────────────────────────────────────────────────────────

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const refusal = refusalOf(request) ?? upgradeRefusalOf(request)
    const pending = this.#pending.get(keyOf(socket))
    if (refusal !== undefined) {
      this.#refuse(socket, refusal.rule, refusal.status)
    } else if (pending === undefined) {
      socket.destroy()
    } else {
      this.#events.upgrade(request, socket, head, pending)
    }
  }

  #refuse(socket: Socket, rule: string, status: number): void {
    this.#events.refused(rule, remoteOf(socket))
    const text = STATUS_CODES[status] ?? ''
    const version = rule === 'websocket-version' ? 'Sec-WebSocket-Version: 13\r\n' : ''
    socket.on('error', () => socket.destroy())
    socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\n${version}Content-Length: 0\r\n\r\n`)
    socket.destroySoon()
  }
}

interface HttpRefusal {
  readonly rule: string
  readonly status: number
}

/** What makes any request improper. */
function refusalOf({ method, headers, rawHeaders }: IncomingMessage): HttpRefusal | undefined {
  if (rawHeaders.length > 2 * MAX_HEADERS) return { rule: 'headers', status: 431 }
  if (method !== 'GET') return { rule: 'method', status: 405 }
  // Browsers send it and nodes do not: no page may reach this port (cross-site WebSocket hijacking).
  if (headers.origin !== undefined) return { rule: 'origin', status: 403 }
  return undefined
}

/** What makes a request for an upgrade improper. */
function upgradeRefusalOf({ url, headers }: IncomingMessage): HttpRefusal | undefined {
  if (url !== PATH) return { rule: 'path', status: 404 }
  if (headers.upgrade?.toLowerCase() !== 'websocket') return { rule: 'bad-request', status: 400 }
  if (headers['sec-websocket-version'] !== '13') return { rule: 'websocket-version', status: 400 }
  if (!KEY.test(headers['sec-websocket-key'] ?? '')) return { rule: 'websocket-key', status: 400 }
  if (headers['sec-websocket-protocol'] !== SUBPROTOCOL) return { rule: 'subprotocol', status: 400 }
  return undefined
}

const KEY = /^[+/0-9A-Za-z]{22}==$/

/** The first bytes of a TLS ClientHello: a handshake record of SSL 3 or later. */
function looksLikeTls(error: Error): boolean {
  const packet = 'rawPacket' in error ? error.rawPacket : undefined
  return packet instanceof Uint8Array && packet[0] === 0x16 && packet[1] === 0x03
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`
}

function remoteOf(socket: Socket): string {
  return socket.remoteAddress ?? 'unknown'
}
