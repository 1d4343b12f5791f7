/** The sequences of commands of `npm test`, twenty times as many. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { playAll } from '../properties/plain-model.js'
import { BACKENDS, type Opened } from '../properties/played-backends.js'
import { redisNodes } from '../redis/played-backends.js'
import { report } from '../support/load.js'
import { RedisServer } from '../support/redis.js'

const SEQUENCES = Number(process.env['SEQUENCES'] ?? 20_000)

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(async () => {
  await server.stop()
})

async function playOn(name: string, { played, close }: Opened, atOnce: number): Promise<void> {
  const from = performance.now()
  await playAll(played, SEQUENCES, atOnce)
  await close()
  report(`${name}: sequences of 31 to 41 commands without a difference, in seconds`, { sequences: SEQUENCES, seconds: Math.round((performance.now() - from) / 1_000) })
}

describe(`every backend means the same in ${SEQUENCES} sequences of commands`, () => {
  it.each(Object.entries(BACKENDS))('%s', async (name, open) => {
    await playOn(name, await open(), 1)
  })

  it('Redis on three nodes', async () => {
    await playOn('Redis on three nodes', await redisNodes(server), 25)
  })
})
