/**
 * One WebSocket connection and the TCP or TLS socket under it, and the two ways to get one. The only file
 * that uses ws; every bound that ws knows is set here.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { isLoopback, parseAddress } from '../address.js'
import { PATH, SUBPROTOCOL, type TlsFiles } from './gossip-server.js'
import { type Bounds, MAX_BUFFERED_CHUNKS, MAX_FRAGMENTS, MAX_FRAME_BYTES } from './limits.js'

export interface Wire {
  readonly ws: WebSocket
  readonly socket: Socket
}

export interface DialEvents {
  opened(wire: Wire): void
  failed(error: Error): void
}

/** Makes wires, by accepting and by dialling. */
export class WireMaker {
  readonly #tls: TlsFiles | undefined
  readonly #options: { readonly maxPayload: number; readonly closeTimeout: number }
  readonly #connectMs: number
  readonly #upgrader: WebSocketServer
  readonly #dialling = new Set<WebSocket>()

  constructor(tls: TlsFiles | undefined, bounds: Bounds) {
    this.#tls = tls
    this.#connectMs = bounds.connectMs
    const options = {
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_BUFFERED_CHUNKS,
      // Pings are answered in link.ts, which counts them.
      autoPong: false,
      closeTimeout: bounds.closeMs,
    }
    const serving = { noServer: true, clientTracking: false, handleProtocols: () => SUBPROTOCOL }
    this.#options = options
    this.#upgrader = new WebSocketServer({ ...options, ...serving })
  }

  /** Completes an upgrade request that was looked at before. */
  accept(request: IncomingMessage, socket: Socket, head: Buffer, use: (wire: Wire) => void): void {
    this.#upgrader.handleUpgrade(request, socket, head, (ws) => use({ ws, socket }))
  }

  /** Exactly one of the events is called. */
  dial(address: string, events: DialEvents): void {
    const url = `${this.#tls === undefined ? 'ws' : 'wss'}://${address}${PATH}`
    const ws = new WebSocket(url, SUBPROTOCOL, {
      ...this.#options,
      ...this.#tls,
      ...(this.#mayLeaveUnmasked(address) ? { generateMask: noMask } : {}),
      handshakeTimeout: this.#connectMs,
    })
    this.#dialling.add(ws)
    const failed = (error: Error): void => {
      this.#dialling.delete(ws)
      events.failed(error)
    }
    ws.once('error', failed)
    ws.once('upgrade', ({ socket }) => {
      ws.once('open', () => {
        ws.off('error', failed)
        this.#dialling.delete(ws)
        events.opened({ ws, socket })
      })
    })
  }

  /** Gives up every attempt to dial. */
  abort(): void {
    for (const ws of this.#dialling) ws.terminate()
  }

  /**
   * Masks keep scripts in browsers from choosing the bytes that a proxy sees. Where no proxy can be
   * (loopback) or sees nothing (TLS), and as no node runs foreign scripts, the zero mask is safe and saves
   * copying every frame.
   */
  #mayLeaveUnmasked(address: string): boolean {
    return this.#tls !== undefined || isLoopback(parseAddress(address)?.host ?? '')
  }
}

function noMask(mask: Buffer): void {
  mask.fill(0)
}

/** Closes with a code and a reason; whoever does not answer is cut by ws after its `closeTimeout`. */
export function closeWire({ ws }: Wire, code: number, reason: string): void {
  ws.close(code, clipBytes(reason))
}

/**
 * Which rule of WebSocket a peer broke (a closed list of ws, as `ws-invalid-opcode`); undefined: the network
 * failed.
 */
export function brokenRule(error: Error): string | undefined {
  const code = 'code' in error ? error.code : undefined
  if (typeof code !== 'string' || !code.startsWith('WS_ERR_')) return undefined
  return `ws-${code.slice('WS_ERR_'.length).toLowerCase().replaceAll('_', '-')}`
}

/** Why dialling failed, for people. */
export function dialErrorText({ message }: Error): string {
  const isPlainPort = /EPROTO|wrong version number|packet length too long|before secure TLS connection/
  if (isPlainPort.test(message)) return 'TLS not expected there'
  if (/socket hang up|ECONNRESET/.test(message)) return 'closed without an answer; is TLS expected there?'
  return message
}

/** A reason of a closing frame has at most 123 bytes. */
function clipBytes(text: string): string {
  return Buffer.byteLength(text) <= 123 ? text : text.replaceAll(/[^ -~]/g, '?').slice(0, 123)
}
