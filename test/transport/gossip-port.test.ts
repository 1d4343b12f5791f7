/**
 * What strangers and bad members can send to the gossip port: each input is refused by name, counted, and
 * changes nothing.
 */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { encodeMessage, pack } from '../../src/transport/codec.js'
import { MAX_FRAME_BYTES } from '../../src/transport/limits.js'
import { logBook, SECRET, type TestNode, until } from './fixtures.js'
import { clientFrame, converse, hello, Member, portOf, Stranger, upgradeRequest } from './raw-peer.js'
import { SocketWorld } from './socket-world.js'

const PENDING = 8
const world = new SocketWorld()
const { lines, log } = logBook()
let node: TestNode

beforeAll(async () => {
  node = await world.start({
    node: 'target', secrets: [SECRET], log,
    bounds: { handshakeMs: 200, pending: PENDING, silentAfterMs: 60_000 },
  })
})
afterAll(() => world.close())

function refusals(rule: string): number {
  return node.counted('session_mesh_refused_handshakes_total', `"${rule}"`)
}

describe('strangers', () => {
  afterEach(() => {
    expect(node.events.history).toEqual([])
    expect(node.events.frames).toEqual([])
  })

  const get = 'GET /session-mesh HTTP/1.1'
  const plain = `${get}\r\nHost: x\r\n\r\n`
  const rows: readonly (readonly [row: string, what: string, input: string | Uint8Array, status: number | '', rule: string])[] = [
    ['W1', 'a plain GET', plain, 426, 'no-upgrade'],
    ['W1', 'a plain GET of anything', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 426, 'no-upgrade'],
    ['W2', 'a plain POST', 'POST /session-mesh HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', 405, 'method'],
    ['W2', 'an upgrade with POST', upgradeRequest({}, 'POST /session-mesh HTTP/1.1'), 405, 'method'],
    ['W3', 'no key', upgradeRequest({ 'Sec-WebSocket-Key': undefined }), 400, 'websocket-key'],
    ['W3', 'a short key', upgradeRequest({ 'Sec-WebSocket-Key': 'AAAA' }), 400, 'websocket-key'],
    ['W4', 'version 99', upgradeRequest({ 'Sec-WebSocket-Version': '99' }), 400, 'websocket-version'],
    ['W5', 'a wrong path', upgradeRequest({}, 'GET /other HTTP/1.1'), 404, 'path'],
    ['W5', 'a path with a query', upgradeRequest({}, 'GET /session-mesh?x=1 HTTP/1.1'), 404, 'path'],
    ['W5', 'no subprotocol', upgradeRequest({ 'Sec-WebSocket-Protocol': undefined }), 400, 'subprotocol'],
    ['W5', 'a wrong subprotocol', upgradeRequest({ 'Sec-WebSocket-Protocol': 'session-mesh.2' }), 400, 'subprotocol'],
    ['W6', 'an Origin', upgradeRequest({ Origin: 'https://evil.example' }), 403, 'origin'],
    ['W6', 'the Origin null', upgradeRequest({ Origin: 'null' }), 403, 'origin'],
    ['W6', 'an Origin of our own address', upgradeRequest({ Origin: 'http://127.0.0.1' }), 403, 'origin'],
    ['W7', '3,000 headers', `${get}\r\n${'a: b\r\n'.repeat(3_000)}\r\n`, 431, 'headers'],
    ['W7', 'a header of 20 KB', upgradeRequest({ 'X-Large': 'x'.repeat(20_000) }), 431, 'headers'],
    ['W8', 'a TLS ClientHello', clientHello(), '', 'tls-not-expected'],
    ['–', 'another upgrade', upgradeRequest({ Upgrade: 'h2c' }), 400, 'bad-request'],
    ['–', 'random bytes', randomBytes(200), 400, 'bad-request'],
    ['–', 'a Redis client', '*1\r\n$4\r\nPING\r\n', 400, 'bad-request'],
  ]

  it.each(rows)('%s: %s', async (_, __, input, status, rule) => {
    const before = refusals(rule)

    const answer = await converse(node.transport, input)

    expect(answer.slice(0, 12)).toBe(status === '' ? '' : `HTTP/1.1 ${status}`)
    expect(refusals(rule)).toBe(before + 1)
    if (rule === 'websocket-version') expect(answer).toContain('Sec-WebSocket-Version: 13')
    if (rule === 'no-upgrade') expect(answer).toContain('Upgrade: websocket')
  })

  it('W8: says in one line that TLS was not expected', () => {
    expect(lines.filter((line) => line.includes('TLS not expected')).length).toBe(1)
  })

  it('W9: closes a connection that says nothing at the handshake deadline', async () => {
    const before = refusals('timeout')

    const start = performance.now()
    await converse(node.transport)

    expect(performance.now() - start).toBeGreaterThan(150)
    expect(refusals('timeout')).toBe(before + 1)
  })

  it('W9: closes a WebSocket that says nothing at the same deadline, and says why', async () => {
    const { code, refuse } = await (await new Stranger(node.transport).opened()).closed

    expect({ code, refuse }).toEqual({ code: 1008, refuse: ['refuse', 'timeout', 'the handshake took too long'] })
  })

  it('W10: closes a connection that sends one byte at a time at the same deadline', async () => {
    const before = refusals('timeout')
    const socket = connect(portOf(node.transport), '127.0.0.1')
    socket.on('error', () => {})
    let at = 0
    const drip = setInterval(() => socket.write(plain[at++]!), 10)

    await new Promise((resolve) => socket.once('close', resolve))
    clearInterval(drip)

    expect(refusals('timeout')).toBe(before + 1)
  })

  const handshakes: readonly (readonly [row: string, messages: readonly (Uint8Array | string)[], code: number, rule: string, detail: string])[] = [
    ['W11: a data frame first', [encodeMessage({ type: 'leave', counter: 1 })], 4401, 'malformed', 'not authenticated'],
    ['W12: a wrong MAC', [hello(), pack(['auth', randomBytes(32)])], 4401, 'bad-secret', 'not authenticated'],
    ['W12: a truncated MAC', [hello(), pack(['auth', randomBytes(16)])], 4401, 'bad-secret', 'not authenticated'],
    ['W12: a MAC of zeros', [hello(), pack(['auth', Buffer.alloc(32)])], 4401, 'bad-secret', 'not authenticated'],
    ['W13: another cluster', [hello({ 3: 'elsewhere' })], 4409, 'wrong-cluster', 'cluster mismatch'],
    ['W14: version 0', [hello({ 1: 0, 2: 0 })], 4409, 'version', 'versions 1 to 1 are accepted'],
    ['W14: version 999', [hello({ 1: 999, 2: 999 })], 4409, 'version', 'versions 1 to 1 are accepted'],
    ['W15: an empty node id', [hello({ 4: '' })], 1008, 'malformed', 'field node'],
    ['W15: a node id with NUL', [hello({ 4: 'a\0b' })], 1008, 'malformed', 'field node'],
    ['W15: a node id of 10 KB', [hello({ 4: 'x'.repeat(10_000) })], 1009, 'malformed', 'too many bytes'],
    ['W16: an empty frame', [new Uint8Array()], 1002, 'malformed', 'empty'],
    ['W17: a text frame', ['hello'], 1002, 'malformed', 'text frame'],
    ['W18: byte 0xC1', [Buffer.of(0xc1)], 1002, 'malformed', 'type not allowed'],
    ['W18: random bytes', [Buffer.concat([Buffer.of(0xc7), randomBytes(99)])], 1002, 'malformed', 'type not allowed'],
    ['W18: a truncated HELLO', [hello().subarray(0, 50)], 1002, 'malformed', 'too early'],
    ['W19: an array of 2^32-1 items', [Buffer.of(0xdd, 255, 255, 255, 255)], 1002, 'malformed', 'too early'],
    ['W20: nesting 1,000', [Buffer.alloc(1_000, 0x91)], 1002, 'malformed', 'too deep'],
    ['HELLO twice', [hello(), hello()], 4401, 'malformed', 'not authenticated'],
    ['AUTH first', [pack(['auth', Buffer.alloc(32)])], 4401, 'malformed', 'not authenticated'],
  ]

  it.each(handshakes)('%s', async (_, messages, code, rule, detail) => {
    const before = refusals(rule)

    const closed = await new Stranger(node.transport).say(...messages)

    expect(closed.code).toBe(code)
    expect(refusals(rule)).toBe(before + 1)
    // A frame too large for a handshake is cut before a word is said.
    if (closed.refuse !== undefined) expect(closed.refuse).toEqual(['refuse', rule, expect.stringContaining(detail)])
    else expect(closed.reason).toContain(detail)
  })

  it('T1: lets none of 60 strangers with a wrong secret in, and tells them nothing but its HELLO', async () => {
    for (let i = 0; i < 60; i++) {
      const stranger = new Stranger(node.transport)
      await stranger.say(hello(), pack(['auth', randomBytes(32)]))
      expect(stranger.received.length).toBe(2)
    }
  })

  it('T5: takes no more than 4 KiB of an unfinished frame before authentication', async () => {
    const [malformed, timeout] = [refusals('malformed'), refusals('timeout')]
    const stranger = await new Stranger(node.transport).opened()
    stranger.socket.on('error', () => {})

    stranger.socket.write(clientFrame(0x82, new Uint8Array(100_000), 900_000))

    await stranger.closed
    expect([refusals('malformed'), refusals('timeout')]).toEqual([malformed + 1, timeout])
  })

  it('T5: closes at once what exceeds the connections that may wait for authentication', async () => {
    const before = refusals('too-many-pending')

    await Promise.all(Array.from({ length: PENDING + 5 }, () => converse(node.transport)))

    expect(refusals('too-many-pending')).toBe(before + 5)
  })
})

function raw(firstByte: number, payload?: Uint8Array, declared?: number) {
  return (member: Member): void => {
    member.socket.write(clientFrame(firstByte, payload, declared))
  }
}

describe('members that misbehave', () => {
  const message = encodeMessage({ type: 'leave', counter: 1 })
  const good = (member: Member): Uint8Array => member.up.sealer.seal(message)

  const rows: readonly (readonly [row: string, act: (member: Member) => void, code: number, rule: string])[] = [
    ['W16: an empty frame', (m) => m.ws.send(Buffer.alloc(0)), 1002, 'empty-frame'],
    ['W17: a text frame', (m) => m.ws.send('text'), 1002, 'text-frame'],
    ['W31: a frame of 1 MiB + 1', (m) => m.ws.send(Buffer.alloc(MAX_FRAME_BYTES + 1)), 1009, 'ws-unsupported-message-length'],
    ['W31: length 2^63', (m) => m.socket.write(Buffer.of(0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), 1009,
      'ws-unsupported-data-payload-length'],
    ['W32: 65 fragments', (m) => {
      for (let i = 0; i < 66; i++) m.socket.write(clientFrame(i === 0 ? 0x02 : 0x00, Buffer.of(1)))
    }, 1008, 'ws-too-many-buffered-parts'],
    ['W33: a compressed frame', raw(0xc2, Buffer.of(1)), 1002, 'ws-unexpected-rsv-1'],
    ['W34: an unmasked frame', (m) => m.socket.write(Buffer.of(0x82, 1, 1)), 1002, 'ws-expected-mask'],
    ['W34: a reserved opcode', raw(0x83), 1002, 'ws-invalid-opcode'],
    ['W34: a fragmented ping', raw(0x09), 1002, 'ws-expected-fin'],
    ['W34: a ping of 126 bytes', raw(0x89, Buffer.alloc(126)), 1002, 'ws-invalid-control-payload-length'],
    ['W34: close code 1005', raw(0x88, Buffer.of(0x03, 0xed)), 1002, 'ws-invalid-close-code'],
    ['W34: a close of one byte', raw(0x88, Buffer.of(3)), 1002, 'ws-invalid-control-payload-length'],
    ['W34: a close reason that is not UTF-8', raw(0x88, Buffer.of(3, 0xe8, 0xff)), 1007, 'ws-invalid-utf8'],
    ['W35: a flood of pings', (m) => {
      for (let i = 0; i < 300; i++) m.ws.ping()
    }, 1008, 'ping-flood'],
    ['W36: the same frame twice', (m) => {
      const frame = good(m)
      m.ws.send(frame)
      m.ws.send(frame)
    }, 1002, 'sequence'],
    ['W36: frame 2 before frame 1', (m) => {
      good(m)
      m.ws.send(good(m))
    }, 1002, 'sequence'],
    ['W37: a flipped bit', (m) => {
      const frame = Uint8Array.from(good(m))
      frame[3]! ^= 1
      m.ws.send(frame)
    }, 4401, 'bad-mac'],
    ['T2: a frame without a MAC', (m) => m.ws.send(message), 4401, 'bad-mac'],
  ]

  it.each(rows)('%s', async (_, act, code, rule) => {
    const framesBefore = node.events.frames.length
    const member = await Member.join(node.transport, [SECRET])
    await until(() => expect(node.events.links.size).toBe(1))
    const before = node.counted('session_mesh_protocol_errors_total', `"${rule}"`)

    act(member)

    expect((await member.closed).code).toBe(code)
    await until(() => expect(node.events.links.size).toBe(0))
    expect(node.counted('session_mesh_protocol_errors_total', `"${rule}"`)).toBe(before + 1)
    // Only the proper first copy of a replayed frame went through.
    expect(node.events.frames.length - framesBefore).toBe(_.includes('twice') ? 1 : 0)
  })

  it('W36: refuses a frame of an earlier connection', async () => {
    const earlier = await Member.join(node.transport, [SECRET])
    const frame = good(earlier)
    earlier.ws.close()
    await until(() => expect(node.events.links.size).toBe(0))
    const member = await Member.join(node.transport, [SECRET])

    member.ws.send(frame)

    expect((await member.closed).code).toBe(4401)
  })

  it('T24: never dials an address that a peer made up', async () => {
    const member = await Member.join(node.transport, [SECRET], { address: '127.0.0.1:6379' })
    await until(() => expect(node.events.links.size).toBe(1))

    member.ws.terminate()

    await until(() => expect(node.events.links.size).toBe(0))
    expect(node.events.unreached).toEqual([])
  })
})

/** The start of a real TLS conversation. */
function clientHello(): Uint8Array {
  return Buffer.from('16030100c8010000c40303', 'hex')
}

describe('a TLS client at the plain port', () => {
  it('W8: is closed and fails at once', async () => {
    const socket = connectTls({ port: portOf(node.transport), host: '127.0.0.1', rejectUnauthorized: false })

    await expect(new Promise((_, reject) => socket.once('error', reject))).rejects.toThrow()
    await until(() => expect(refusals('tls-not-expected')).toBeGreaterThan(0))
  })
})
