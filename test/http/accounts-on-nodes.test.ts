import { describe, expect, test } from 'vitest'
import { sessions } from '../../src/http/middleware.js'
import { resolveSessionOptions, type SessionOptions } from '../../src/http/options.js'
import { silent } from '../../src/log.js'
import { loopbackCluster } from './loopback-nodes.js'
import { bare, json, routes, serve, type Answer, type Client } from './support.js'

const shop = routes({
  '/login': async (req, res) => {
    req.session.user = req.url?.replace(/.*as=(\w+).*/, '$1') ?? ''
    await req.session.rotate()
    res.end()
  },
  '/click': (req, res) => {
    req.session.n = (req.session.n ?? 0) + 1
    json(res, { user: req.session.user, n: req.session.n })
  },
  '/out': async (req, res) => {
    await req.session.destroy()
    res.end()
  },
})

/** Two replicated nodes; requests go to them in turn, whichever is meant. */
async function roundRobin(options: SessionOptions): Promise<() => Client> {
  const { nodes } = await loopbackCluster(2)
  const clients = await Promise.all(
    nodes.map(({ backend }) => {
      return serve(bare(sessions(backend, resolveSessionOptions(options), { now: Date.now, log: silent }), shop))
    }),
  )
  let turn = 0
  return () => clients[turn++ % clients.length] as Client
}

describe('on two nodes behind round robin', () => {
  test('two tabs are two users, each request sees what the one before it did, and one logs out', async () => {
    const next = await roundRobin({ accounts: true })
    const jar = new Map<string, string>()
    const get = async (path: string): Promise<Answer> => {
      const client = next()
      client.jar.clear()
      for (const [name, value] of jar) client.jar.set(name, value)
      const answer = await client.get(path)
      jar.clear()
      for (const [name, value] of client.jar) jar.set(name, value)
      return answer
    }
    await get('/login?as=rob')
    await get('/login?as=luke&_s=1')
    for (let n = 1; n <= 20; n++) {
      expect((await get('/click')).body).toBe(JSON.stringify({ user: 'rob', n }))
      if (n % 3 === 0) await get('/login?as=luke&_s=1')
      expect((await get('/click?_s=1')).body).toBe(JSON.stringify({ user: 'luke', n }))
    }
    await get('/out?_s=1')
    expect((await get('/click?_s=1')).body).toBe('{"n":1}')
    expect((await get('/click')).body).toBe('{"user":"rob","n":21}')
    expect([...jar.keys()].filter((name) => name.startsWith('sid.v')).length).toBeGreaterThan(1)
  })

  test('a client of headers that sends back what it got sees what it did', async () => {
    const next = await roundRobin({ carrier: { header: 'X-Auth-Token' } })
    const held: Record<string, string> = {}
    const get = async (path: string): Promise<Answer> => {
      const answer = await next().send({ path, headers: held })
      expect(answer.setCookie).toEqual([])
      for (const name of ['x-auth-token', 'x-auth-token-seen']) {
        const value = answer.headers[name]
        if (typeof value === 'string') held[name] = value
      }
      return answer
    }
    await get('/login?as=rob')
    expect(held['x-auth-token-seen']).toBeUndefined()
    for (let n = 1; n <= 20; n++) {
      expect((await get('/click')).body).toBe(JSON.stringify({ user: 'rob', n }))
      expect(held['x-auth-token-seen']).toMatch(/^\d+=[\w-]+/)
      if (n % 5 === 0) await get('/login?as=rob')
    }
    await get('/out')
    expect(held).toEqual({ 'x-auth-token': '', 'x-auth-token-seen': '' })
  })
})
