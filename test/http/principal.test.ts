import type { IncomingMessage } from 'node:http'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createCluster, type Cluster, type ClusterConfig, type PrincipalSession, type Session } from '../../src/index.js'
import { loopbackCluster, type LoopbackNode } from './loopback-nodes.js'
import { bare, json, routes, serve, type Client, type Handler, type TestRequest } from './support.js'

const SECRET = 'of this test alone, and long enough: 0123456789'

interface Site {
  readonly cluster: Cluster
  /** A browser that has logged in as `user`. */
  readonly browser: (user?: string) => Promise<Client>
  readonly devices: (client: Client) => Promise<readonly PrincipalSession[]>
}

async function site(config: Partial<ClusterConfig> = {}): Promise<Site> {
  const cluster = await createCluster({ name: 'shop', backend: { type: 'memory' }, secret: SECRET, log: () => {}, ...config })
  onTestFinished(() => cluster.close())
  const server = await serve(
    bare(
      cluster.sessions(),
      routes({
        '/login': login,
        '/devices': async (req, res) => {
          json(res, await cluster.sessionsOf(userOf(req), { current: sessionOf(req) }))
        },
        '/others': async (req, res) => {
          const user = (req.url ?? '').split('?')[1] ?? userOf(req)
          json(res, await cluster.logOutEverywhere(user, { except: sessionOf(req) }))
        },
        '/everywhere': async (req, res) => {
          json(res, await cluster.logOutEverywhere(userOf(req)))
        },
        '/visit': (req, res) => {
          req.session.n = (req.session.n ?? 0) + 1
          res.end()
        },
        '/': (req, res) => json(res, req.session.toObject()),
      }),
    ),
  )
  const browser = async (user?: string): Promise<Client> => {
    const client = server.other()
    if (user !== undefined) await client.get(`/login?${user}`)
    return client
  }
  const devices = async (client: Client): Promise<readonly PrincipalSession[]> => JSON.parse((await client.get('/devices')).body)
  return { cluster, browser, devices }
}

const login: Handler = async (req, res) => {
  const user = (req.url ?? '').split('?')[1] ?? ''
  req.session.user = user
  await req.session.setPrincipal(user)
  res.end()
}

function userOf(req: TestRequest): string {
  return typeof req.session.user === 'string' ? req.session.user : ''
}

function sessionOf(req: TestRequest): Session {
  return (req as unknown as IncomingMessage).session
}

async function isLoggedIn(client: Client): Promise<boolean> {
  return (await client.get('/')).body.includes('user')
}

describe('a page of devices', () => {
  test('lists the sessions of a user, and which of them is asking', async () => {
    const { browser, devices } = await site()
    const [phone, laptop] = [await browser('ada'), await browser('ada')]
    await browser('bob')

    const seenByPhone = await devices(phone)
    const seenByLaptop = await devices(laptop)

    expect(seenByPhone).toHaveLength(2)
    expect(seenByPhone.filter(({ current }) => current)).toHaveLength(1)
    const current = (list: readonly PrincipalSession[]): unknown => list.find((session) => session.current)?.ref
    expect(current(seenByPhone)).not.toEqual(current(seenByLaptop))
    expect(Object.keys(seenByPhone[0] ?? {}).sort()).toEqual(['createdAt', 'current', 'handle', 'lastAccessedAt', 'ref'])
  })

  test('has a handle for each, which ends that one', async () => {
    const { cluster, browser, devices } = await site()
    const [phone, laptop] = [await browser('ada'), await browser('ada')]
    const other = (await devices(phone)).find(({ current }) => !current)

    expect(await cluster.end(other?.handle ?? '')).toBe('done')

    expect(await isLoggedIn(laptop)).toBe(false)
    expect(await isLoggedIn(phone)).toBe(true)
    expect(await cluster.end(other?.handle ?? '')).toBe('gone')
  })

  test('has handles that nobody can make up, and that let nobody in', async () => {
    const { cluster, browser, devices } = await site()
    const phone = await browser('ada')
    const [session] = await devices(phone)
    const handle = session?.handle ?? ''
    const forged = Array.from(handle, (character, at) => handle.slice(0, at) + (character === 'A' ? 'B' : 'A') + handle.slice(at + 1))

    for (const bad of [...forged, '', 'x', handle.slice(1), `${handle}A`, '💥'.repeat(20)]) {
      expect(await cluster.end(bad)).toBe('gone')
    }

    expect(await isLoggedIn(phone)).toBe(true)
    expect((await phone.send({ path: '/', cookie: `sid=${handle}` })).body).toBe('{}')
  })

  test('has handles that are void once the session is somebody else’s', async () => {
    const { cluster, browser, devices } = await site()
    const phone = await browser('ada')
    const [session] = await devices(phone)
    await phone.get('/login?bob')

    expect(await cluster.end(session?.handle ?? '')).toBe('gone')
    expect(await isLoggedIn(phone)).toBe(true)
  })
})

describe('logging out everywhere', () => {
  test('ends every session of that user and no other', async () => {
    const { browser } = await site()
    const adas = [await browser('ada'), await browser('ada'), await browser('ada')]
    const bob = await browser('bob')

    const { body } = await (adas[0] as Client).get('/everywhere')

    expect(JSON.parse(body)).toEqual({ outcome: 'done', sessions: 3 })
    for (const client of adas) expect(await isLoggedIn(client)).toBe(false)
    expect(await isLoggedIn(bob)).toBe(true)
  })

  test('can spare the session that asks, which stays a session of that user', async () => {
    const { cluster, browser, devices } = await site()
    const [phone, laptop] = [await browser('ada'), await browser('ada')]

    expect(JSON.parse((await phone.get('/others')).body)).toEqual({ outcome: 'done', sessions: 1 })

    expect(await isLoggedIn(phone)).toBe(true)
    expect(await isLoggedIn(laptop)).toBe(false)
    expect(await devices(phone)).toHaveLength(1)
    expect(await cluster.logOutEverywhere('ada')).toEqual({ outcome: 'done', sessions: 1 })
    expect(await isLoggedIn(phone)).toBe(false)
  })

  test('spares nobody where the session to be spared is somebody else’s', async () => {
    const { cluster, browser } = await site()
    const ada = await browser('ada')
    const bob = await browser('bob')

    expect(JSON.parse((await bob.get('/others?ada')).body)).toEqual({ outcome: 'done', sessions: 1 })

    expect(await isLoggedIn(ada)).toBe(false)
    expect(await isLoggedIn(bob)).toBe(true)
    expect(await cluster.sessionsOf('bob')).toHaveLength(1)
  })

  test('reaches every node, and spares on every node', async () => {
    const { nodes, node } = await loopbackCluster(3)
    const refs = []
    for (const { backend } of nodes) {
      refs.push((await backend.create({ writes: [], principal: 'ada' }, { maxIdleMs: 60_000, maxLifeMs: Infinity, acks: 'all' })).ref)
    }

    const { outcome, sessions } = await node(0).services.principals.logOutEverywhere('ada', refs[0], {})

    expect([outcome, sessions]).toEqual(['done', 2])
    for (const { backend } of nodes) expect(backend.find('ada')).toEqual([refs[0]])
  })
})

describe('at most so many sessions per user', () => {
  const refuse = { maxSessions: { perPrincipal: 2, policy: 'refuse' } } as const
  const oldestOut = { maxSessions: { perPrincipal: 2, policy: 'oldest-out' } } as const

  test('the next login is refused with 409, until one of the others has left', async () => {
    const { cluster, browser } = await site(refuse)
    const [first, second] = [await browser('ada'), await browser('ada')]
    const third = await browser()

    const refused = await third.get('/login?ada')

    expect([refused.status, refused.body]).toEqual([409, expect.stringContaining('maxSessions')])
    expect(await cluster.sessionsOf('ada')).toHaveLength(2)
    const [one] = await cluster.sessionsOf('ada')
    await cluster.end(one?.handle ?? '')
    expect((await third.get('/login?ada')).status).toBe(200)
    expect([await isLoggedIn(first), await isLoggedIn(second)].filter(Boolean)).toHaveLength(1)
  })

  test('whoever is logged in already may log in again', async () => {
    const { cluster, browser } = await site(refuse)
    const [first] = [await browser('ada'), await browser('ada')]

    expect((await first.get('/login?ada')).status).toBe(200)

    expect(await cluster.sessionsOf('ada')).toHaveLength(2)
  })

  test('of twenty logins at once exactly so many get in', async () => {
    const { cluster, browser } = await site(refuse)
    const clients = await Promise.all(Array.from({ length: 20 }, () => browser()))

    const statuses = (await Promise.all(clients.map((client) => client.get('/login?ada')))).map(({ status }) => status)

    expect(statuses.filter((status) => status === 200)).toHaveLength(2)
    expect(await cluster.sessionsOf('ada')).toHaveLength(2)
  })

  test('the next login ends the session whose login is oldest, not the one that is oldest itself', async () => {
    const { browser } = await site(oldestOut)
    const veteran = await browser()
    await veteran.get('/visit')
    const [first, second] = [await browser('ada'), await browser('ada')]

    await veteran.get('/login?ada')
    expect([await isLoggedIn(first), await isLoggedIn(second), await isLoggedIn(veteran)]).toEqual([false, true, true])

    const fourth = await browser('ada')
    expect([await isLoggedIn(second), await isLoggedIn(veteran), await isLoggedIn(fourth)]).toEqual([false, true, true])
  })

  test('two nodes that let one in each at the same time agree on who stays', async () => {
    const { nodes, node, hub } = await loopbackCluster(2, { perPrincipal: 1, policy: 'oldest-out' })
    hub.cut(node(0).address, node(1).address)
    const clients = [await visitor(node(0)), await visitor(node(1))]
    for (const client of clients) await client.get('/login?ada')
    for (const { backend } of nodes) expect(backend.find('ada')).toHaveLength(1)

    hub.heal(node(0).address, node(1).address)

    await vi.waitFor(
      () => {
        const [a, b] = nodes.map(({ backend }) => backend.find('ada'))
        expect(a).toHaveLength(1)
        expect(a).toEqual(b)
      },
      { timeout: 10_000 },
    )
    // Of the two the later login: that on the second node.
    expect(await isLoggedIn(clients[1] as Client)).toBe(true)
    expect(await isLoggedIn(clients[0] as Client)).toBe(false)
  })

  test('the node of a login makes room before the others have to: nobody is ended twice over', async () => {
    const { nodes, node } = await loopbackCluster(3, { perPrincipal: 2, policy: 'oldest-out' })
    const clients = [await visitor(node(0)), await visitor(node(1)), await visitor(node(2))]
    const ended = vi.fn()
    for (const { events } of nodes) events.on('destroyed', ended, { scope: 'local' })

    const looks = nodes.map(({ backend }) => vi.spyOn(backend, 'find'))

    for (const client of clients) await client.get('/login?ada')
    // Each node looked at its own login, and then at those of the others.
    for (const look of looks) await vi.waitFor(() => expect(look.mock.calls.length).toBeGreaterThan(1), { timeout: 5_000 })

    expect(ended).toHaveBeenCalledOnce()
    for (const { backend } of nodes) expect(backend.find('ada')).toHaveLength(2)
  })
})

async function visitor(node: LoopbackNode): Promise<Client> {
  return await node.serve(routes({ '/login': login, '/': (req, res) => json(res, req.session.toObject()) }))
}
