import { randomBytes } from 'node:crypto'
import type { Log } from '../../src/log.js'
import { silent } from '../../src/log.js'
import type { Bounds } from '../../src/transport/limits.js'
import { WebSocketTransport, type WebSocketTransportOptions } from '../../src/transport/websocket.js'
import type { TransportUnderTest } from './contract.js'
import { dice, freeAddress, helloOf, type NodeSpec, Recorder, type TestNode, testNode } from './fixtures.js'

/** Small enough that a test of patience takes a moment. */
export const FAST: Partial<Bounds> = {
  tickMs: 20,
  redialMinMs: 5,
  redialMaxMs: 40,
  closeMs: 300,
}

export interface SocketSpec extends NodeSpec {
  readonly bounds?: Partial<Bounds>
  readonly tls?: WebSocketTransportOptions['tls']
  readonly log?: Log
}

export class SocketWorld implements TransportUnderTest {
  readonly #defaults: Partial<SocketSpec>
  readonly #nodes: TestNode[] = []

  constructor(defaults: Partial<SocketSpec> = {}) {
    this.#defaults = defaults
  }

  async start(given: SocketSpec): Promise<TestNode> {
    const spec = { ...this.#defaults, ...given }
    const hello = helloOf(spec)
    const events = new Recorder()
    const transport = new WebSocketTransport({
      hello,
      secrets: spec.secrets ?? [],
      listen: spec.address ?? '127.0.0.1:0',
      peers: spec.peers ?? [],
      ...(spec.tls === undefined ? {} : { tls: spec.tls }),
      bounds: { ...FAST, ...spec.bounds },
      now: spec.now ?? Date.now,
      random: dice,
      randomBytes,
      log: spec.log ?? silent,
    })
    const node = testNode(transport, events, hello.actor)
    this.#nodes.push(node)
    await transport.open(events)
    return node
  }

  freeAddress(): Promise<string> {
    return freeAddress()
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map(({ transport }) => transport.close()))
  }
}
