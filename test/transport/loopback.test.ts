import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { silent } from '../../src/log.js'
import { LoopbackHub, LoopbackTransport } from '../../src/transport/loopback.js'
import { transportContract, type TransportUnderTest } from './contract.js'
import { helloOf, type NodeSpec, Recorder, SECRET, type TestNode, testNode, until } from './fixtures.js'

class LoopbackWorld implements TransportUnderTest {
  readonly hub = new LoopbackHub()
  readonly #secrets: readonly string[]
  readonly #nodes: TestNode[] = []

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets
  }

  async start(spec: NodeSpec, queuedBytes?: number): Promise<TestNode> {
    const hello = helloOf(spec)
    const events = new Recorder()
    const transport = new LoopbackTransport({
      hub: this.hub,
      hello,
      address: spec.address ?? this.hub.freeAddress(),
      peers: spec.peers ?? [],
      secrets: spec.secrets ?? this.#secrets,
      ...(queuedBytes === undefined ? {} : { queuedBytes }),
      now: spec.now ?? Date.now,
      randomBytes,
      log: silent,
    })
    const node = testNode(transport, events, hello.actor)
    this.#nodes.push(node)
    await transport.open(events)
    return node
  }

  freeAddress(): Promise<string> {
    return Promise.resolve(this.hub.freeAddress())
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map(({ transport }) => transport.close()))
  }
}

transportContract('loopback without a secret', () => new LoopbackWorld([]))
transportContract('loopback with a secret', () => new LoopbackWorld([SECRET]))

describe('loopback hub', () => {
  it('cuts two nodes apart and heals them', async () => {
    const world = new LoopbackWorld([])
    const a = await world.start({ node: 'a' })
    const b = await world.start({ node: 'b', peers: [a.transport.address] })
    await until(() => expect(b.events.history).toEqual(['up a']))

    world.hub.cut(a.transport.address, b.transport.address)
    await until(() => expect(b.events.rules()).toEqual(['unreachable']))
    expect([a.events.links.size, b.events.links.size]).toEqual([0, 0])

    world.hub.heal(a.transport.address, b.transport.address)
    await until(() => expect([a.events.links.size, b.events.links.size]).toEqual([1, 1]))
    await world.close()
  })

  it('bounds the queue to a stalled node: stale once, drained when it reads again', async () => {
    const world = new LoopbackWorld([])
    const a = await world.start({ node: 'a' })
    const b = await world.start({ node: 'b', peers: [a.transport.address] }, 10_000)
    await until(() => expect(b.events.links.size).toBe(1))

    world.hub.stall(a.transport.address)
    const taken = Array.from({ length: 30 }, () => b.transport.send(b.events.linkTo('a'), new Uint8Array(1000)))
    await until(() => expect(b.events.history).toEqual(['up a', 'stale a']))
    world.hub.resume(a.transport.address)

    await until(() => expect(b.events.history).toEqual(['up a', 'stale a', 'drained a']))
    expect(taken.filter(Boolean).length).toBe(10)
    expect(a.events.frames.length).toBe(10)
    expect(b.counted('session_mesh_queue_drops_total')).toBe(20)
    await world.close()
  })
})
