import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { importConnectRedis } from '../../src/backend/foreign/connect-redis.js'
import { createCluster, type Cluster } from '../../src/cluster.js'
import { silent } from '../../src/log.js'
import { delta, LIVES, load, memory, valuesOf } from '../backend/tiered/support.js'
import { FakeIo } from '../cli/fake-io.js'
import { freePort } from '../free-port.js'
import { RedisServer } from '../support/redis.js'
import { space } from './support.js'

let server: RedisServer
let folder: string
beforeAll(async () => {
  server = await RedisServer.start()
  folder = mkdtempSync(join(tmpdir(), 'session-mesh-migrate-'))
})
afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

/** A running node, and a folder's configuration that names it. */
async function node(): Promise<Cluster> {
  const config = { name: 'shop', node: { id: 'a', listen: `127.0.0.1:${await freePort()}` }, peers: [] }
  writeFileSync(join(folder, 'cluster.config.ts'), `export default ${JSON.stringify(config)}`)
  const cluster = await createCluster({ ...config, log: silent })
  closing.push(() => cluster.close())
  await cluster.ready()
  return cluster
}

describe('session-mesh migrate', () => {
  it('copies live sessions to Redis, and from there into a cluster that has none of them', { timeout: 60_000 }, async () => {
    const url = `redis://127.0.0.1:${server.port}`
    const first = await node()
    const ids: string[] = []
    for (let n = 0; n < 50; n++) ids.push((await first.backend.create({ ...delta({ n }), principal: `user ${n}` }, LIVES)).id)

    const out = new FakeIo(folder)
    expect(await out.run('migrate', '--to', 'redis', '--redis', url)).toBe(0)
    expect(out.out).toContain('50 sessions copied')
    expect(out.out).toContain('both hold the same')
    await first.close()

    const second = await node()
    const back = new FakeIo(folder)
    expect(await back.run('migrate', '--to', 'replicated', '--redis', url)).toBe(0)
    for (const [n, id] of ids.entries()) expect(await valuesOf(second.backend, id)).toEqual({ n })
  })

  it('refuses what it does not know, and says what is missing', async () => {
    await node()
    const io = new FakeIo(folder)
    expect(await io.run('migrate', '--to', 'postgres')).toBe(64)
    expect(io.err).toContain('expected redis or replicated')
    expect(await io.run('migrate', '--to', 'redis')).toBe(78)
    expect(io.err).toContain('REDIS_URL')
  })
})

describe('sessions of connect-redis', () => {
  it('are taken over under their ids, each key one attribute, and never twice', async () => {
    const client = new Redis({ port: server.port })
    closing.push(async () => void (await client.quit()))
    const prefix = `${space()}:sess:`
    const cookie = { originalMaxAge: 60_000, expires: '2030-01-01T00:00:00.000Z', httpOnly: true, path: '/' }
    for (let n = 0; n < 250; n++) {
      await client.set(`${prefix}id-${n}`, JSON.stringify({ cookie, passport: { user: n }, views: n }), 'EX', 600)
    }
    await client.set(`${prefix}broken`, 'no json')
    const to = memory(Date.now)

    expect(await importConnectRedis(client, to, { prefix })).toEqual({ imported: 250, known: 0, dead: 0, skipped: 1 })

    expect(await valuesOf(to, 'id-7')).toEqual({ cookie, passport: { user: 7 }, views: 7 })
    const found = await load(to, 'id-7')
    expect(found.state === 'found' && found.session.maxIdleMs).toBe(60_000)
    if (found.state === 'found') to.destroy(found.ref, 'logged-out')
    expect(await importConnectRedis(client, to, { prefix, remove: true })).toMatchObject({ imported: 0, known: 249, dead: 1 })
    expect(await client.keys(`${prefix}*`)).toEqual([`${prefix}broken`])
  })
})
