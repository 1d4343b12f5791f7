/** examples/two-services: two processes of two packages. */
import { expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../support/members.js'
import { RedisServer } from '../support/redis.js'
import { installedExample, listening } from './installed-example.js'

const LIFETIME_S = 2_592_000

const service = installedExample('two-services', ['a', 'b'])

interface Services {
  readonly a: string
  readonly b: string
}

/** Starts both; answers their addresses when they listen. They end with the test. */
async function start(environment: Readonly<Record<string, string>> = {}): Promise<Services> {
  const [a, b, gossipA, gossipB] = await freePorts(4)
  const gossip = { GOSSIP_A: `127.0.0.1:${gossipA}`, GOSSIP_B: `127.0.0.1:${gossipB}` }
  const { REDIS_URL: _, ...inherited } = process.env
  const env = { ...inherited, ...gossip, ...environment }
  const [urlOfA, urlOfB] = await Promise.all([
    listening(service('a'), a ?? 0, env),
    listening(service('b'), b ?? 0, env),
  ])
  return { a: urlOfA, b: urlOfB }
}

/** POSTs; `cookie` as a browser would send it next. */
async function post(url: string, cookie = ''): Promise<{ readonly body: unknown; readonly cookie: string }> {
  const response = await fetch(url, { method: 'POST', headers: { cookie } })
  expect(response.status).toBe(200)
  const set = response.headers.getSetCookie().map((line) => line.split(';', 1)[0])
  return { body: await response.json(), cookie: set.join('; ') }
}

/** What one service saved, the other reads at once with the same cookie; a stranger reads nothing. */
async function expectShared({ a, b }: Services): Promise<void> {
  for (let i = 0; i < 20; i++) {
    const { cookie } = await post(`${a}/session?name=Ada${i}`)
    expect((await post(`${b}/getSession`, cookie)).body).toEqual({ name: `Ada${i}` })
  }
  expect((await post(`${b}/getSession`)).body).toEqual({ name: null })
}

test('a session written by one service is read by the other: replicated', async () => {
  await expectShared(await start())
})

test('a session written by one service is read by the other: in Redis, for 30 days', async () => {
  const redis = await RedisServer.start()
  onTestFinished(() => redis.stop())
  const client = redis.client()
  onTestFinished(() => client.disconnect())
  const services = await start({ REDIS_URL: `redis://${redis.address}` })

  await post(`${services.a}/session?name=Grace`)
  const [key = '', ...others] = (await client.keys('*')).filter((name) => name.includes(':sessions:'))
  const lifetime = await client.pttl(key)

  expect(others).toEqual([])
  expect(Math.abs(lifetime / 1_000 - LIFETIME_S)).toBeLessThanOrEqual(1)
  await expectShared(services)
})
