import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ConfigError } from '../../src/errors.js'
import { silent } from '../../src/log.js'
import type { NodeId } from '../../src/session/session.js'
import { WebSocketTransport } from '../../src/transport/websocket.js'
import { transportContract } from './contract.js'
import { dice, helloOf, logBook, Recorder, SECRET, until } from './fixtures.js'
import { Member } from './raw-peer.js'
import { SocketWorld } from './socket-world.js'

transportContract('websocket without a secret', () => new SocketWorld())
transportContract('websocket with a secret', () => new SocketWorld({ secrets: [SECRET] }))

describe('websocket transport', () => {
  let world: SocketWorld
  beforeEach(() => {
    world = new SocketWorld()
  })
  afterEach(() => world.close())

  it.each([
    ['wrong secrets', [SECRET], ['another secret of the tests, long enough too']],
    ['a secret on one side only', [SECRET], []],
    ['a secret on the other side only', [], [SECRET]],
  ])('names %s on both sides and lets nothing up', async (_, ours, theirs) => {
    const { lines, log } = logBook()
    const a = await world.start({ node: 'a', secrets: ours, log })
    const b = await world.start({ node: 'b', secrets: theirs, peers: [a.transport.address], log })

    await until(() => expect(b.events.rules()).toEqual(['bad-secret']))
    await until(() => expect(a.counted('session_mesh_refused_handshakes_total', 'bad-secret')).toBeGreaterThan(0))
    expect([...a.events.history, ...b.events.history]).toEqual([])
    expect(lines.filter((line) => line.includes('bad-secret')).length).toBeLessThanOrEqual(2)
    expect(lines.join('\n')).not.toMatch(/secret of the/)
  })

  it('ends with one link that both call the same, and at no moment has none, when nodes dial each other at once', async () => {
    for (let round = 0; round < 15; round++) {
      const [first, second] = [await world.freeAddress(), await world.freeAddress()]
      const small = { node: `small${round}`, actor: 100 + round, address: first, peers: [second] }
      const large = { node: `large${round}`, actor: 900 + round, address: second, peers: [first] }
      const order = round % 2 === 0 ? [small, large] : [large, small]
      const both = await Promise.all(order.map((spec) => world.start(spec)))

      await until(() => {
        const peers = both.flatMap(({ events }) => [...events.links.values()])
        expect(peers.length).toBe(2)
        expect(peers.filter(({ dialled }) => dialled !== undefined).length).toBe(1)
      })

      for (const { history } of both.map(({ events }) => events)) {
        // Going over to the other link takes no time: the next thing that happens is that it is up.
        history.forEach((line, i) => line.startsWith('down') && expect(history[i + 1]).toMatch(/^up/))
      }
    }
  })

  it('goes on when a peer breaks the connection in the middle of a frame', async () => {
    const a = await world.start({ node: 'a', secrets: [SECRET] })
    const b = await world.start({ node: 'b', secrets: [SECRET], peers: [a.transport.address] })
    await until(() => expect(b.events.links.size).toBe(1))
    const member = await Member.join(a.transport, [SECRET])
    await until(() => expect(a.events.links.size).toBe(2))

    member.socket.write(Buffer.of(0x82, 0xfe, 0xff, 0xff, 0, 0, 0, 0, 1, 2, 3))
    member.socket.resetAndDestroy()

    await until(() => expect(a.events.history.at(-1)).toMatch(/^down raw/))
    expect(a.events.frames).toEqual([])
    expect(a.transport.send(a.events.linkTo('b'), Uint8Array.of(1))).toBe(true)
    await until(() => expect(b.events.frames.length).toBe(1))
  })

  it('W42: bounds what it keeps for a peer that does not read, then cuts it', async () => {
    const limits = { queuedBytes: 8 * 1024 * 1024, drainedBytes: 2 * 1024 * 1024, slowPeerMs: 300 }
    const a = await world.start({ node: 'a', secrets: [SECRET], bounds: { ...limits, silentAfterMs: 60_000 } })
    const member = await Member.join(a.transport, [SECRET])
    await until(() => expect(a.events.links.size).toBe(1))
    const link = a.events.linkTo('raw')
    member.ws.pause()

    const frame = new Uint8Array(256 * 1024)
    let taken = 0
    for (let i = 0; i < 240; i++) {
      if (a.transport.send(link, frame)) taken += 1
      if (i % 16 === 0) await new Promise<void>((resolve) => setImmediate(resolve))
    }

    // Beyond the queue only what the kernel buffers went out; 60 MB were offered.
    expect(taken * frame.length).toBeLessThan(24 * 1024 * 1024)
    await until(() => expect(a.events.history).toEqual(['up raw', 'stale raw', 'down raw: slow: does not read']))
    expect(a.counted('session_mesh_queue_drops_total')).toBe(240 - taken)
    member.ws.terminate()
  })

  it('says drained once a slow peer has read enough, and takes frames again', async () => {
    const limits = { queuedBytes: 1024 * 1024, drainedBytes: 256 * 1024 }
    const a = await world.start({ node: 'a', secrets: [SECRET], bounds: { ...limits, silentAfterMs: 60_000 } })
    const member = await Member.join(a.transport, [SECRET])
    await until(() => expect(a.events.links.size).toBe(1))
    const link = a.events.linkTo('raw')
    member.ws.pause()

    await until(() => expect(a.transport.send(link, new Uint8Array(200_000))).toBe(false))
    member.ws.resume()

    await until(() => expect(a.events.history).toEqual(['up raw', 'stale raw', 'drained raw']))
    expect(a.transport.send(link, Uint8Array.of(7))).toBe(true)
    member.ws.terminate()
  })

  it('closes a link over which nothing comes in, and keeps one that only answers pings', async () => {
    const bounds = { pingAfterMs: 20, silentAfterMs: 150 }
    const a = await world.start({ node: 'a', secrets: [SECRET], bounds })
    const lively = await Member.join(a.transport, [SECRET], { node: 'lively' as NodeId, actor: 1 })
    const silentOne = await Member.join(a.transport, [SECRET], { node: 'silent' as NodeId, actor: 2 })
    let pings = 0
    lively.ws.on('ping', () => (pings += 1))

    silentOne.socket.removeAllListeners('data')
    silentOne.socket.pause()

    await until(() => expect(a.events.history.at(-1)).toBe('down silent: silent'))
    await until(() => expect(pings).toBeGreaterThan(3))
    expect([...a.events.links.values()].map(({ node }) => node)).toEqual(['lively'])
    silentOne.ws.terminate()
    lively.ws.terminate()
  })

  it('X14: a new start of a node takes the place of a link that is no longer heard', async () => {
    const bounds = { heardMs: 100, silentAfterMs: 60_000, pingAfterMs: 60_000 }
    const a = await world.start({ node: 'a', secrets: [SECRET], bounds })
    const old = await Member.join(a.transport, [SECRET], { actor: 1 })
    await expect(Member.join(a.transport, [SECRET], { actor: 2 })).rejects.toThrow('name-in-use')

    // The old process is gone without a word; the new one keeps trying, as dialers do.
    await untilJoined(() => Member.join(a.transport, [SECRET], { actor: 3 }))

    await until(() => expect([...a.events.links.values()].map(({ actor }) => actor)).toEqual([3]))
    expect(a.events.history).toEqual(['up raw', 'down raw: replaced by a newer link', 'up raw'])
    await expect(old.closed).resolves.toMatchObject({ code: 1000 })
  })

  it('sends the frames of one turn in one system call', async () => {
    const a = await world.start({ node: 'a', secrets: [SECRET] })
    const member = await Member.join(a.transport, [SECRET])
    await until(() => expect(a.events.links.size).toBe(1))
    const chunks: Buffer[] = []
    member.socket.on('data', (chunk: Buffer) => chunks.push(chunk))

    for (let i = 0; i < 50; i++) a.transport.send(a.events.linkTo('raw'), new Uint8Array(100))

    await until(() => expect(Buffer.concat(chunks).length).toBe(50 * (2 + 100 + 22)))
    expect(chunks.length).toBe(1)
    member.ws.terminate()
  })

  it.each([
    ['0.0.0.0:0', [], []],
    ['127.0.0.1:0', ['10.0.0.7:7946'], []],
    ['127.0.0.1:0', ['node-b.internal:7946'], []],
    ['127.0.0.1:0', ['10.0.0.7:7946'], ['short']],
    ['127.0.0.1:0', ['10.0.0.7:7946'], [SECRET, 'short']],
    ['[::]:0', [], ['short']],
  ])('refuses to leave the machine unprotected: %s, peers %j, secrets %j', async (listen, peers, secrets) => {
    const transport = socketTransport({ listen, peers, secrets })

    const opening = transport.open(new Recorder())

    await expect(opening).rejects.toThrow(ConfigError)
    await expect(opening).rejects.toThrow(/set a secret of at least 32 bytes or tls, or stay on 127\.0\.0\.1/)
    await expect(opening).rejects.not.toThrow('short,')
    await transport.close()
  })

  it('names the address when the port is in use, and every address that is none', async () => {
    const a = await world.start({ node: 'a' })
    const second = socketTransport({ listen: a.transport.address, peers: [], secrets: [] })
    const third = socketTransport({ listen: 'nowhere', peers: ['http://x', '127.0.0.1:99999'], secrets: [] })

    await expect(second.open(new Recorder())).rejects.toThrow(`${a.transport.address} (the port is in use)`)
    await expect(third.open(new Recorder())).rejects.toMatchObject({ problems: { length: 3 } })
    await Promise.all([second.close(), third.close()])
  })
})

/** Tries again, as a dialer does, until the node lets it in. */
async function untilJoined(join: () => Promise<unknown>): Promise<void> {
  await vi.waitFor(join, { interval: 10, timeout: 4_000 })
}

function socketTransport(over: { listen: string; peers: readonly string[]; secrets: readonly string[] }): WebSocketTransport {
  return new WebSocketTransport({
    ...over, hello: helloOf({ node: 'x' }), now: Date.now, random: dice, randomBytes, log: silent,
  })
}
