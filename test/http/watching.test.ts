import type { IncomingMessage } from 'node:http'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createCluster, type Cluster, type ClusterConfig, type SessionRef } from '../../src/index.js'
import { bare, json, routes, serve, type Client, type TestRequest } from './support.js'

interface Shop {
  readonly cluster: Cluster
  readonly client: Client
  readonly logged: string[]
}

async function shop(config: Partial<ClusterConfig> = {}): Promise<Shop> {
  const logged: string[] = []
  const log: ClusterConfig['log'] = (level, event, fields) => void logged.push(`${level} ${event} ${String(fields?.['detail'])}`)
  const cluster = await createCluster({ name: 'shop', backend: { type: 'memory' }, log, ...config })
  onTestFinished(() => cluster.close())
  const client = await serve(
    bare(
      cluster.sessions(),
      routes({
        '/add': function addToCart(req, res) {
          req.session.cart ??= { items: [] }
          req.session.cart.items.push(1)
          res.end()
        },
        '/clear': (req, res) => {
          delete req.session.cart
          res.end()
        },
        '/touch': (req, res) => json(res, req.session.cart ?? null),
        '/leave': async (req, res) => {
          await req.session.destroy()
          res.end()
        },
        '/ref': async (req, res) => {
          await req.session.commit()
          json(res, cluster.refOf(asRequest(req).session) ?? null)
        },
      }),
    ),
  )
  return { cluster, client, logged }
}

function asRequest(req: TestRequest): IncomingMessage {
  return req as unknown as IncomingMessage
}

async function refOf(client: Client): Promise<SessionRef> {
  return JSON.parse((await client.get('/ref')).body)
}

describe('an attribute that is listened for', () => {
  test('tells what it becomes and what it was, also when it changes in place', async () => {
    const { cluster, client } = await shop()
    const told: unknown[] = []
    cluster.onAttribute('cart', {
      bound: (value, { name }) => told.push(['bound', name, value]),
      unbound: (value, { name }) => told.push(['unbound', name, value]),
    })

    await client.get('/add')
    await client.get('/touch')
    await client.get('/add')
    await client.get('/clear')

    expect(told).toEqual([
      ['bound', 'cart', { items: [1] }],
      ['unbound', 'cart', { items: [1] }],
      ['bound', 'cart', { items: [1, 1] }],
      ['unbound', 'cart', { items: [1, 1] }],
    ])
  })

  test('tells of the end of its session, and which session it was', async () => {
    const { cluster, client } = await shop()
    const unbound = vi.fn()
    cluster.onAttribute('cart', { unbound })
    await client.get('/add')
    const ref = await refOf(client)

    await client.get('/leave')

    expect(unbound).toHaveBeenCalledExactlyOnceWith({ items: [1] }, { name: 'cart', ref })
  })

  test('is not listened for any more after stopping, and others never were', async () => {
    const { cluster, client } = await shop()
    const bound = vi.fn()
    const stop = cluster.onAttribute('cart', { bound })
    cluster.onAttribute('user', { bound })

    await client.get('/add')
    stop()
    await client.get('/add')

    expect(bound).toHaveBeenCalledOnce()
  })

  test('is committed though a listener throws', async () => {
    const { cluster, client, logged } = await shop()
    cluster.onAttribute('cart', {
      bound: () => {
        throw new Error('oops')
      },
    })

    expect((await client.get('/add')).status).toBe(200)

    expect((await client.get('/touch')).body).toBe('{"items":[1]}')
    expect(logged).toEqual(['error attribute-listener-failed oops'])
  })
})

describe('explain', () => {
  test('tells what this node knows of a session, without values', async () => {
    const { cluster, client } = await shop({ session: { ttl: '10m' } })
    await client.get('/add')
    const ref = await refOf(client)

    const told = await cluster.explain(ref)

    expect(told).toEqual({
      ref,
      found: true,
      createdAt: expect.any(Number),
      lastAccessedAt: expect.any(Number),
      expiresAt: (told.lastAccessedAt ?? 0) + 600_000,
      hasPrincipal: false,
      attributes: [{ name: 'cart', bytes: expect.any(Number) }],
    })
    await client.get('/leave')
    expect(await cluster.explain(ref)).toEqual({ ref, found: false })
  })

  test('tells which lines of the application made it, with debug.creationStacks', async () => {
    const { cluster, client } = await shop({ debug: { creationStacks: true } })
    const told = vi.fn()
    cluster.on('created', async ({ ref }) => void told(await cluster.explain(ref)))
    await client.get('/add')

    const { creationStack = [] } = await cluster.explain(await refOf(client))

    expect(told).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ creationStack }))
    expect(creationStack[0]).toMatch(/addToCart.*watching\.test\.ts/)
    expect(creationStack.length).toBeLessThanOrEqual(12)
    expect(creationStack.join('\n')).not.toMatch(/src\/http\/session-handle/)
  })
})
