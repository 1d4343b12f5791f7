import { connect } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { transportContract } from './contract.js'
import { logBook, type TestNode, until } from './fixtures.js'
import { converse, portOf, upgradeRequest } from './raw-peer.js'
import { SocketWorld } from './socket-world.js'
import { CA, NODE_CERT, NODE_KEY, STRANGER_CERT, STRANGER_KEY } from './tls-fixture.js'

const MEMBER = { key: NODE_KEY, cert: NODE_CERT, ca: CA }
const STRANGER = { key: STRANGER_KEY, cert: STRANGER_CERT, ca: CA }

transportContract('websocket under mutual TLS', () => new SocketWorld({ tls: MEMBER }))

describe('mutual TLS', () => {
  let world: SocketWorld
  let target: TestNode
  const { lines, log } = logBook()
  beforeEach(async () => {
    world = new SocketWorld()
    target = await world.start({ node: 'target', tls: MEMBER, log })
  })
  afterEach(async () => {
    expect(target.events.history).toEqual([])
    await world.close()
  })

  it('W8: closes a plain client, counts it, and says in one line that TLS was expected', async () => {
    const answer = await converse(target.transport, upgradeRequest())

    expect(answer.slice(0, 5)).not.toBe('HTTP/')
    await until(() => expect(target.counted('session_mesh_refused_handshakes_total', 'tls-expected')).toBe(1))
    expect(lines.filter((line) => line.includes('TLS expected')).length).toBe(1)
  })

  it('lets in no client without a certificate', async () => {
    const socket = connect({ port: portOf(target.transport), host: '127.0.0.1', ca: CA })
    socket.on('error', () => {})
    socket.write(upgradeRequest())

    await new Promise((resolve) => socket.once('close', resolve))

    await until(() => expect(target.counted('session_mesh_refused_handshakes_total', '"tls"')).toBe(1))
  })

  it('lets in no node whose certificate another authority signed', async () => {
    const stranger = await world.start({ node: 'stranger', tls: STRANGER, peers: [target.transport.address] })

    await until(() => expect(stranger.events.rules()).toEqual(['unreachable']))
    await until(() => expect(target.counted('session_mesh_refused_handshakes_total', '"tls"')).toBeGreaterThan(0))
  })

  it('tells a plain node and a TLS node that dial each other what is wrong', async () => {
    const plain = await world.start({ node: 'plain', peers: [target.transport.address] })
    const secure = await world.start({ node: 'secure', tls: MEMBER, peers: [plain.transport.address] })

    await until(() => expect(plain.events.unreached[0]?.detail).toContain('is TLS expected there?'))
    await until(() => expect(secure.events.unreached[0]?.detail).toContain('TLS not expected there'))
  })
})
