import { afterAll, beforeAll, describe, it } from 'vitest'
import { playAll } from '../properties/plain-model.js'
import { RedisServer } from '../support/redis.js'
import { redisNodes, tieredNodes } from './played-backends.js'

const SEQUENCES = Number(process.env['SEQUENCES'] ?? 1_000)
/** Nodes with memory before Redis have a clock of their own, so their sequences are played one after the other. */
const TIERED = Math.ceil(SEQUENCES / 20)
const CLUSTERS = 4

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(async () => {
  await server.stop()
})

describe('Redis means the same as every other backend', { timeout: 300_000 }, () => {
  it(`on three nodes, in ${SEQUENCES} sequences of commands`, async () => {
    const { played, close } = await redisNodes(server)
    await playAll(played, SEQUENCES, 25)
    await close()
  })

  it.each(['write-behind', 'near-cache', 'both'] as const)(`behind memory in mode %s on three nodes, in ${TIERED} sequences`, async (mode) => {
    const clusters = await Promise.all(Array.from({ length: CLUSTERS }, async () => await tieredNodes(server, mode)))
    await Promise.all(clusters.map(async ({ played }) => await playAll(played, TIERED / CLUSTERS, 1)))
    await Promise.all(clusters.map(async ({ close }) => await close()))
  })
})
