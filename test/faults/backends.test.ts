/** The sequences of commands of `npm test`, twenty times as many. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { playAll } from '../properties/plain-model.js'
import { BACKENDS, type Opened } from '../properties/played-backends.js'
import { REDIS_BACKENDS } from '../properties/played-on-redis.js'
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

async function playOn(name: string, { played, atOnce, close }: Opened): Promise<void> {
  const from = performance.now()
  await playAll(played, SEQUENCES, atOnce)
  await close()
  const seconds = Math.round((performance.now() - from) / 1_000)
  report(`${name}: sequences of 31 to 41 commands without a difference, in seconds`, { sequences: SEQUENCES, seconds })
}

describe(`every backend means the same in ${SEQUENCES} sequences of commands`, { timeout: 1_800_000 }, () => {
  it.each(Object.entries(BACKENDS))('%s', async (name, open) => {
    await playOn(name, await open())
  })

  it.each(Object.entries(REDIS_BACKENDS))('%s', async (name, open) => {
    await playOn(name, await open(server))
  })
})
