/** Peers that do not play by the rules: raw sockets, half handshakes, and members that misbehave. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'
import { pack, unpack } from '../../src/transport/codec.js'
import { Handshake, type HandshakeOptions, linkSecrets, type Step } from '../../src/transport/handshake.js'
import type { Hello } from '../../src/transport/hello.js'
import type { Transport } from '../../src/transport/transport.js'
import { helloOf } from './fixtures.js'

export function portOf(transport: Transport): number {
  return Number(transport.address.split(':').at(-1))
}

/** Sends bytes over a raw TCP connection and gives back everything that comes until it is closed. */
export function converse(transport: Transport, ...chunks: readonly (string | Uint8Array)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(portOf(transport), '127.0.0.1')
    const received: Buffer[] = []
    socket.on('data', (chunk) => received.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(received).toString('latin1')))
    for (const chunk of chunks) socket.write(chunk)
  })
}

/** The request of a proper node, with these headers in place of its own (undefined: left out). */
export function upgradeRequest(over: Record<string, string | undefined> = {}, line = 'GET /session-mesh HTTP/1.1'): string {
  const headers = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol': 'session-mesh.1',
    ...over,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  return [line, ...lines, '', ''].join('\r\n')
}

/** A masked client frame (mask 0), as raw bytes. */
export function clientFrame(firstByte: number, payload: Uint8Array = new Uint8Array(), declared = payload.length): Buffer {
  const mask = Buffer.alloc(4)
  const length =
    declared < 126
      ? Buffer.of(0x80 | declared)
      : declared < 65_536
        ? Buffer.of(0x80 | 126, declared >> 8, declared & 0xff)
        : Buffer.concat([Buffer.of(0x80 | 127, 0, 0, 0, 0), Buffer.of(declared >>> 24, (declared >> 16) & 255, (declared >> 8) & 255, declared & 255)])
  return Buffer.concat([Buffer.of(firstByte), length, mask, payload])
}

export interface Closed {
  readonly code: number
  readonly reason: string
  /** What the other side sent as REFUSE before closing. */
  readonly refuse: readonly unknown[] | undefined
}

/** A WebSocket that has passed the HTTP upgrade and nothing else. */
export class Stranger {
  readonly ws: WebSocket
  readonly received: Uint8Array[] = []
  readonly closed: Promise<Closed>

  constructor(transport: Transport) {
    this.ws = new WebSocket(`ws://${transport.address}/session-mesh`, 'session-mesh.1', { perMessageDeflate: false })
    this.ws.on('error', () => {})
    this.ws.on('message', (data: Buffer) => this.received.push(data))
    this.closed = new Promise((resolve) => {
      this.ws.on('close', (code, reason) => {
        const refuse = this.received.map(readRefuse).find((fields) => fields !== undefined)
        resolve({ code, reason: reason.toString(), refuse })
      })
    })
  }

  async opened(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.ws.once('open', () => resolve())
      this.ws.once('error', reject)
    })
    return this
  }

  /** Sends these messages, each in a frame of its own. */
  async say(...messages: readonly (Uint8Array | string)[]): Promise<Closed> {
    await this.opened()
    for (const message of messages) this.ws.send(message)
    return this.closed
  }

  /** The TCP socket, to write what no WebSocket library would. */
  get socket(): Socket {
    return Reflect.get(this.ws, '_socket') as Socket
  }
}

function readRefuse(bytes: Uint8Array): readonly unknown[] | undefined {
  try {
    const fields = unpack(bytes)
    return fields[0] === 'refuse' ? fields : undefined
  } catch {
    return undefined
  }
}

/** HELLO as fields, to be spoiled one by one. */
export function helloFields(over: Readonly<Record<number, unknown>> = {}): unknown[] {
  const fields = ['hello', 1, 1, 'shop', 'raw', 4711, 1_790_000_000_000, '', randomBytes(16), Date.now(), ['ttl', '30m']]
  for (const [at, value] of Object.entries(over)) fields[Number(at)] = value as string
  return fields
}

export function hello(over?: Readonly<Record<number, unknown>>): Uint8Array {
  return Uint8Array.from(pack(helloFields(over)))
}

/** What both test sides of a handshake need. */
export function handshakeOf(
  role: HandshakeOptions['role'],
  secrets: readonly string[],
  over: Partial<Hello> & Partial<HandshakeOptions> = {},
): Handshake {
  const info = helloOf({ node: over.node ?? role, ...(over.cluster === undefined ? {} : { cluster: over.cluster }) })
  return new Handshake({
    role,
    hello: { ...info, address: '', nonce: randomBytes(16), ...over },
    secrets: linkSecrets(secrets, over.cluster ?? info.cluster),
    sealed: over.sealed ?? secrets.length > 0,
    maxSkewMs: over.maxSkewMs ?? 10_000,
    admit: over.admit ?? (() => undefined),
  })
}

/** A proper member, until told otherwise: its link is up. */
export class Member extends Stranger {
  up!: Extract<Step, { type: 'up' }>

  static async join(transport: Transport, secrets: readonly string[], over: Partial<Hello> = {}): Promise<Member> {
    const member = new Member(transport)
    const handshake = handshakeOf('dialler', secrets, { node: 'raw' as Hello['node'], ...over })
    await member.opened()
    await new Promise<void>((resolve, reject) => {
      member.ws.on('message', (data: Buffer) => {
        if (member.up !== undefined) return
        const step = handshake.receive(data, Date.now())
        if (step.type === 'refused') return reject(new Error(step.refusal.rule))
        if (step.type === 'up') member.up = step
        if (step.bytes !== undefined) member.ws.send(step.bytes)
        if (step.type === 'up') resolve()
      })
      member.ws.send(handshake.start(Date.now()))
    })
    return member
  }

  /** One proper frame. */
  send(message: Uint8Array): void {
    this.ws.send(this.up.sealer.seal(message))
  }
}
