import { afterAll, beforeAll, describe, it } from 'vitest'
import { playAll } from './plain-model.js'
import { RedisServer } from '../support/redis.js'
import { REDIS_BACKENDS } from './played-on-redis.js'

const SEQUENCES = Number(process.env['SEQUENCES'] ?? 1_000)

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(async () => {
  await server.stop()
})

describe('Redis means the same as every other backend', { timeout: 300_000 }, () => {
  it.each(Object.entries(REDIS_BACKENDS))(`%s, in ${SEQUENCES} sequences of commands`, async (_name, open) => {
    const { played, atOnce, close } = await open(server)
    await playAll(played, SEQUENCES, atOnce)
    await close()
  })
})
