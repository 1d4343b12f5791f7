/** The whole: two nodes by configuration alone, sessions in Redis, an application that knows nothing of it. */
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import express from 'express'
import { createCluster, type Cluster } from '../../src/cluster.js'
import { report } from '../support/load.js'
import { RedisServer } from '../support/redis.js'

let redis: RedisServer
let changes = 0
const nodes: { readonly cluster: Cluster; readonly server: Server; readonly url: string }[] = []

beforeAll(async () => {
  redis = await RedisServer.start()
  for (const id of ['a', 'b']) {
    const cluster = await createCluster({
      name: 'shop',
      node: { id },
      backend: { type: 'redis', url: `redis://${redis.address}/3` },
      session: { ttl: '30d' },
      log: () => {},
    })
    await cluster.ready()
    const app = express()
    app.use(cluster.sessions({ when: (req) => req.url !== '/static' }))
    app.get('/static', (_req, res) => void res.end('static'))
    app.get('/set', (req, res) => {
      Reflect.set(req.session, 'name', req.query['name'])
      res.redirect('/get')
    })
    app.get('/get', (req, res) => void res.json({ name: Reflect.get(req.session, 'name') ?? null }))
    app.get('/fill', (req, res) => {
      for (let n = 0; n < 50; n++) Reflect.set(req.session, `n${n}`, n)
      res.end()
    })
    app.get('/one', (req, res) => {
      Reflect.set(req.session, 'n7', `changed ${++changes}`)
      res.end()
    })
    app.get('/logout', (req, res, next) => void req.session.destroy().then(() => res.end(), next))
    const server = createServer(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    nodes.push({ cluster, server, url: `http://127.0.0.1:${address.port}` })
  }
})
afterAll(async () => {
  for (const { cluster, server } of nodes) {
    server.closeAllConnections()
    server.close()
    await cluster.close()
  }
  await redis.stop()
})

async function ask(node: number, path: string, cookie = ''): Promise<Response> {
  return await fetch(`${nodes[node]?.url}${path}`, { headers: { cookie }, redirect: 'manual' })
}

it('what is set on one node is there on the other when the redirect arrives, for 30 days, in its database only', async () => {
  const redirect = await ask(0, '/set?name=ada')
  const [cookie = ''] = (redirect.headers.get('set-cookie') ?? '').split(';')
  expect(redirect.status).toBe(302)

  expect(await (await ask(1, '/get', cookie)).json()).toEqual({ name: 'ada' })
  expect(await redis.command('dbsize')).toBe(0)
  const client = redis.client()
  await client.select(3)
  const [key = ''] = await client.keys('session-mesh:sessions:*')
  expect(Math.abs((await client.ttl(key)) - 2_592_000)).toBeLessThanOrEqual(1)
  client.disconnect()

  await ask(1, '/logout', cookie)
  expect(await (await ask(0, '/get', cookie)).json()).toEqual({ name: null })
})

it('1,000 requests that keep nothing leave nothing', async () => {
  const calls = (): number => nodes[0]?.cluster.metrics()['session_mesh_redis_calls_total'] ?? 0
  const before = calls()
  for (let i = 0; i < 1_000; i++) await (await ask(0, i % 2 === 0 ? '/static' : '/get')).text()
  expect(calls()).toBe(before)
})

it('sends nothing for a static route, one command for a read, and one that changes one field of 50', async () => {
  const filled = await ask(0, '/fill')
  const [cookie = ''] = (filled.headers.get('set-cookie') ?? '').split(';')
  await (await ask(0, '/one', cookie)).text()
  await (await ask(0, '/get', cookie)).text()
  const commands = async (path: string): Promise<{ sent: number; fields: readonly string[] }> => {
    const monitor = await redis.client().monitor()
    const seen: { readonly args: readonly string[]; readonly source: string }[] = []
    monitor.on('monitor', (_time: string, args: string[], source: string) => seen.push({ args, source }))
    await (await ask(0, path, cookie)).text()
    await redis.command('echo', 'over')
    await vi.waitFor(() => expect(seen.some(({ args }) => args[1] === 'over')).toBe(true))
    monitor.disconnect()
    const fields = seen.filter(({ args, source }) => source === 'lua' && /^hset$/i.test(args[0] ?? '')).flatMap(({ args }) => args)
    return {
      sent: seen.filter(({ args, source }) => source !== 'lua' && /^(eval|hgetall)/i.test(args[0] ?? '')).length,
      fields: fields.filter((word) => word.startsWith('sessionAttr:')),
    }
  }

  const figures = { static: await commands('/static'), read: await commands('/get'), one: await commands('/one') }
  report('commands that MONITOR sees per request', figures)
  expect(figures.static).toEqual({ sent: 0, fields: [] })
  expect(figures.read).toEqual({ sent: 1, fields: [] })
  // The load of the request, and its commit.
  expect(figures.one).toEqual({ sent: 2, fields: ['sessionAttr:n7'] })
})
