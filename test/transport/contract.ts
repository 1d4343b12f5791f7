import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_MESSAGE_BYTES } from '../../src/transport/limits.js'
import { digestOf, type NodeSpec, type TestNode, until } from './fixtures.js'

/** One way to run transports against each other. */
export interface TransportUnderTest {
  /** Starts a node; without an address it takes a free one. */
  start(spec: NodeSpec): Promise<TestNode>
  /** An address that a later node can have. */
  freeAddress(): Promise<string>
  /** Closes every node. */
  close(): Promise<void>
}

/** What every transport promises, whatever carries the bytes. */
export function transportContract(name: string, make: () => TransportUnderTest): void {
  describe(`transport contract: ${name}`, () => {
    let world: TransportUnderTest
    beforeEach(() => {
      world = make()
    })
    afterEach(() => world.close())

    async function pair(): Promise<[TestNode, TestNode]> {
      const a = await world.start({ node: 'a' })
      const b = await world.start({ node: 'b', peers: [a.transport.address] })
      await until(() => expect([a.events.links.size, b.events.links.size]).toEqual([1, 1]))
      return [a, b]
    }

    it('tells both sides of a link who the other is, and only the dialler what it dialled', async () => {
      const [a, b] = await pair()

      const [seenByA] = a.events.links.values()
      const [seenByB] = b.events.links.values()

      expect(seenByA).toMatchObject({ node: 'b', actor: b.actor, address: b.transport.address })
      expect(seenByA).not.toHaveProperty('dialled')
      expect(seenByB).toMatchObject({ node: 'a', actor: a.actor, startedAt: 1_790_000_000_000, dialled: a.transport.address })
      expect(Math.abs(seenByB!.clockOffsetMs)).toBeLessThan(1_000)
    })

    it('delivers frames whole, once and in order, both ways, up to the largest', async () => {
      const [a, b] = await pair()
      const sizes = [...Array.from({ length: 500 }, (_, i) => 1 + (i * 37) % 3000), MAX_MESSAGE_BYTES]
      const frames = sizes.map((size, i) => new Uint8Array(size).fill(i % 251))

      for (const frame of frames) {
        expect(a.transport.send(a.events.linkTo('b'), frame)).toBe(true)
        b.transport.send(b.events.linkTo('a'), frame)
      }

      const sent = frames.map(digestOf)
      await until(() => expect(b.events.frames.length).toBe(frames.length))
      await until(() => expect(a.events.frames.length).toBe(frames.length))
      expect(b.events.frames.map(({ bytes }) => digestOf(bytes))).toEqual(sent)
      expect(a.events.frames.map(({ bytes }) => digestOf(bytes))).toEqual(sent)
      expect(a.counted('session_mesh_frames_sent_total')).toBe(frames.length)
      expect(b.counted('session_mesh_frames_received_total')).toBe(frames.length)
    })

    it('delivers nothing from inside send', async () => {
      const [a, b] = await pair()

      a.transport.send(a.events.linkTo('b'), Uint8Array.of(1))

      expect(b.events.frames).toEqual([])
      await until(() => expect(b.events.frames.length).toBe(1))
    })

    it('keeps one link between two nodes that dial each other', async () => {
      for (let round = 0; round < 5; round++) {
        const [first, second] = [await world.freeAddress(), await world.freeAddress()]
        const peers = [first, second]
        const names = [`x${round}`, `y${round}`] as const
        const [x, y] = await Promise.all([
          world.start({ node: names[0], address: first, peers }),
          world.start({ node: names[1], address: second, peers }),
        ])

        await until(() => {
          expect(x.events.rules().filter((rule) => rule !== 'unreachable').sort()).toContain('self')
          x.transport.send(x.events.linkTo(names[1]), Uint8Array.of(round))
          expect(y.events.frames.length).toBeGreaterThan(0)
        })
        await until(() => expect([x.events.links.size, y.events.links.size]).toEqual([1, 1]))
        expect(x.counted('session_mesh_links_up')).toBe(1)
        expect(x.counted('session_mesh_refused_handshakes_total')).toBe(0)
      }
    })

    it('reports its own address as self and makes no link', async () => {
      const address = await world.freeAddress()
      const a = await world.start({ node: 'a', address, peers: [address] })

      await until(() => expect(a.events.rules()).toEqual(['self']))
      expect(a.events.history).toEqual([])
    })

    it.each([
      ['wrong-cluster', { cluster: 'other' }, 'cluster mismatch'],
      ['settings', { settings: { ttl: '31m' } }, 'setting ttl differs'],
      ['name-in-use', { node: 'a' }, 'node name'],
    ])('refuses by the name %s, on both sides, before any link', async (rule, spec, detail) => {
      const a = await world.start({ node: 'a' })
      const b = await world.start({ node: 'b', ...spec, peers: [a.transport.address] })

      await until(() => expect(b.events.rules()).toEqual([rule]))
      await until(() => expect(a.counted('session_mesh_refused_handshakes_total', rule)).toBeGreaterThan(0))
      expect(b.events.unreached[0]?.detail).toContain(detail)
      expect(b.counted('session_mesh_refused_handshakes_total', rule)).toBeGreaterThan(0)
      expect([...a.events.history, ...b.events.history]).toEqual([])
    })

    it('refuses clocks that differ by more than it allows', async () => {
      const a = await world.start({ node: 'a' })
      const b = await world.start({ node: 'b', peers: [a.transport.address], now: () => Date.now() + 60_000 })

      await until(() => expect(b.events.rules()).toEqual(['clock-skew']))
      expect(a.events.history).toEqual([])
    })

    it('estimates by how much clocks differ', async () => {
      const a = await world.start({ node: 'a' })
      const b = await world.start({ node: 'b', peers: [a.transport.address], now: () => Date.now() + 5_000 })

      await until(() => expect(a.events.links.size).toBe(1))
      expect([...a.events.links.values()][0]?.clockOffsetMs).toBeGreaterThan(4_000)
      expect([...b.events.links.values()][0]?.clockOffsetMs).toBeLessThan(-4_000)
    })

    it('reports a peer that nobody answers for, and links it once it is there', async () => {
      const address = await world.freeAddress()
      const b = await world.start({ node: 'b', peers: [address] })
      await until(() => expect(b.events.rules()).toEqual(['unreachable']))

      await world.start({ node: 'a', address })

      await until(() => expect(b.events.history).toEqual(['up a']))
    })

    it('refuses a second node of the same name while the first is heard', async () => {
      const [a, b] = await pair()
      const impostor = await world.start({ node: 'b', peers: [a.transport.address] })

      await until(() => expect(impostor.events.rules()).toEqual(['name-in-use']))
      expect(impostor.events.unreached[0]?.detail).toContain(b.transport.address)
      expect(a.events.history).toEqual(['up b'])
    })

    it('takes a peer that restarts as a new link', async () => {
      const [a, b] = await pair()
      const { address } = b.transport

      await b.transport.close()
      await until(() => expect(a.events.links.size).toBe(0))
      const again = await world.start({ node: 'b', address, peers: [a.transport.address] })

      await until(() => expect([...a.events.links.values()].map(({ actor }) => actor)).toEqual([again.actor]))
      expect(a.events.history).toEqual(['up b', expect.stringMatching(/^down b: /), 'up b'])
    })

    it('links again after a link was dropped, under a new number', async () => {
      const [a, b] = await pair()
      const before = a.events.linkTo('b')

      a.transport.drop(before, 1008, 'told to')

      expect(a.transport.send(before, Uint8Array.of(1))).toBe(false)
      await until(() => expect(a.events.history).toEqual(['up b', expect.stringContaining('told to'), 'up b']))
      await until(() => expect(b.events.history.length).toBe(3))
      expect(a.events.linkTo('b')).not.toBe(before)
    })

    it('delivers what was sent right before it closes, and every link goes down once', async () => {
      const [a, b] = await pair()
      for (let i = 0; i < 20; i++) b.transport.send(b.events.linkTo('a'), new Uint8Array(50_000).fill(i))

      await Promise.all([b.transport.close(), b.transport.close()])

      await until(() => expect(a.events.frames.length).toBe(20))
      await until(() => expect(a.events.history.length).toBe(2))
      expect(b.events.history).toEqual(['up a', 'down a: closed'])
      expect(b.counted('session_mesh_links_up')).toBe(0)
    })

    it('refuses to send on a link that is not there', async () => {
      const a = await world.start({ node: 'a' })

      expect(a.transport.send(99, Uint8Array.of(1))).toBe(false)
      a.transport.drop(99, 1008, 'nothing to drop')
    })

    it('survives a frame handler that throws', async () => {
      const [a, b] = await pair()
      a.events.onFrame = () => {
        throw new Error('a bug above the transport')
      }

      b.transport.send(b.events.linkTo('a'), Uint8Array.of(1))

      await until(() => expect(a.events.history.slice(0, 3)).toEqual(['up b', expect.stringMatching(/^down b/), 'up b']))
    })
  })
}
