import fc from 'fast-check'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { LoopbackHub } from '../../src/transport/loopback.js'
import { replicatedNode, tiered, turns } from '../backend/tiered/support.js'
import { commands, play } from '../properties/plain-model.js'
import { RedisServer } from '../support/redis.js'
import { backendOf, openBackend, space } from './support.js'

/** Sequences on a real server; it runs by its own clock, so nothing expires here (test/properties/backends.test.ts). */
const SEQUENCES = Number(process.env['SEQUENCES'] ?? 100)

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(async () => {
  await server.stop()
})

describe('Redis means the same as every other backend', () => {
  it(`on three nodes, in ${SEQUENCES} sequences of commands`, async () => {
    const prefix = space()
    const nodes = await Promise.all([1, 2, 3].map(async () => await openBackend({ port: server.port }, { prefix })))
    const settle = (): Promise<void> => Promise.resolve()
    await fc.assert(fc.asyncProperty(commands, async (list) => await play(list, { nodes, settle })), { numRuns: SEQUENCES })
    await Promise.all(nodes.map((node) => node.close()))
  })

  it(`behind replicated memory on three nodes, in ${SEQUENCES} sequences of commands`, async () => {
    const hub = new LoopbackHub()
    const prefix = space()
    const addresses = [1, 2, 3].map(() => hub.freeAddress())
    const nodes = addresses.map((address) => {
      const near = replicatedNode(hub, address, addresses.filter((other) => other !== address), Date.now)
      return tiered(near, backendOf({ port: server.port }, { prefix }), { now: Date.now } as never)
    })
    await Promise.all(nodes.map((node) => node.open()))
    await Promise.all(nodes.map((node) => node.ready()))
    const settle = (): Promise<void> => turns(6)
    await fc.assert(fc.asyncProperty(commands, async (list) => await play(list, { nodes, settle })), { numRuns: SEQUENCES })
    await Promise.all(nodes.map((node) => node.close()))
  })
})
