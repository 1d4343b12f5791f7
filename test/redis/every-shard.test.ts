/** What asks every shard: how many calls that is, and that a cluster behind one address is understood. */
import { afterEach, expect, it } from 'vitest'
import type { RedisTarget } from '../../src/backend/redis/dial.js'
import type { RedisBackend } from '../../src/backend/redis/redis.js'
import type { SessionRef } from '../../src/session/session.js'
import { freePort } from '../free-port.js'
import { RedisServer, startRedisCluster, until, type Setting } from '../support/redis.js'
import { delta, LIVES, openBackend, space } from './support.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function opened(target: RedisTarget): Promise<RedisBackend> {
  const backend = await openBackend(target, { prefix: space() })
  closing.push(() => backend.close())
  return backend
}

async function started(settings: readonly Setting[] = []): Promise<RedisServer> {
  const server = await RedisServer.start(settings)
  closing.push(() => server.stop())
  return server
}

/** Scripts that the servers ran since they were asked last. */
async function scriptsRun(servers: readonly RedisServer[]): Promise<number> {
  const counts = await Promise.all(
    servers.map(async (server) => {
      const stats = String(await server.command('info', 'commandstats'))
      await server.command('config', 'resetstat')
      const [, evalsha = '0'] = /cmdstat_evalsha:calls=(\d+)/.exec(stats) ?? []
      return Number(evalsha)
    }),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Sessions of one principal, in as many shards. */
async function loggedIn(backend: RedisBackend, principal: string, count: number): Promise<readonly SessionRef[]> {
  const refs: SessionRef[] = []
  for (let n = 0; n < count; n++) refs.push((await backend.create({ ...delta({ n }), principal }, LIVES)).ref)
  return refs
}

function inOrder(refs: readonly SessionRef[]): readonly SessionRef[] {
  return [...refs].sort((a, b) => a.counter - b.counter)
}

/** Finds and ends 100 sessions of one of two principals; how many scripts each took. */
async function findAndRevoke(backend: RedisBackend, servers: readonly RedisServer[]): Promise<{ find: number; revoke: number }> {
  const refs = await loggedIn(backend, 'ada', 100)
  const others = await loggedIn(backend, 'bob', 10)
  await scriptsRun(servers)

  expect(inOrder(await backend.find('ada'))).toEqual(refs)
  const find = await scriptsRun(servers)
  expect(await backend.revoke('ada', {})).toEqual({ outcome: 'done', sessions: 100 })
  const revoke = await scriptsRun(servers)

  expect(await backend.find('ada')).toEqual([])
  for (const ref of refs) expect(await backend.read(ref)).toBeUndefined()
  expect(inOrder(await backend.find('bob'))).toEqual(others)
  return { find, revoke }
}

it('one server is asked once', async () => {
  const server = await started()
  const backend = await opened({ port: server.port })
  await backend.find('nobody')
  await backend.revoke('nobody', {})

  expect(await findAndRevoke(backend, [server])).toEqual({ find: 1, revoke: 1 })
})

it('a cluster is asked once per shard', async () => {
  const servers = await startRedisCluster()
  closing.push(async () => void (await Promise.all(servers.map((server) => server.stop()))))
  const backend = await opened({ cluster: servers.map(({ address }) => address) })
  await Promise.all([backend.find('nobody'), backend.revoke('nobody', {})])

  expect(await findAndRevoke(backend, servers)).toEqual({ find: 64, revoke: 64 })
})

it('a cluster that looks like one server is asked once per shard from its first refusal on', async () => {
  const bus = await freePort()
  const server = await started([
    ['cluster-enabled', 'yes'],
    ['cluster-config-file', 'nodes.conf'],
    ['cluster-port', String(bus)],
  ])
  await server.command('cluster', 'addslotsrange', 0, 16_383)
  await until(async () => String(await server.command('cluster', 'info')).includes('cluster_state:ok'))
  const backend = await opened({ port: server.port })

  expect(await backend.find('nobody')).toEqual([])
  await backend.revoke('nobody', {})

  expect(await findAndRevoke(backend, [server])).toEqual({ find: 64, revoke: 64 })
})
