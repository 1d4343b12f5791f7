/** Sessions in Redis, over HTTP: a logout while other requests of the session are in the middle of their work. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCluster, type Cluster } from '../../src/cluster.js'
import type { TestRequest } from '../http/support.js'
import { Browser, type Page } from '../support/browser.js'
import { each, report } from '../support/load.js'
import { LONG_LIVED } from '../support/long-lived.js'
import { RedisServer } from '../support/redis.js'

const TRIALS = Number(process.env['TRIALS'] ?? 10_000)
const AT_ONCE = 32
/** What the other requests do. */
const LATE = ['write', 'rotate', 'read'] as const

/** Doors that a trial opens: requests that have loaded their session wait behind them. */
const doors = new Map<string, { readonly arrived: () => void; readonly pass: Promise<void> }>()
const nodes: { readonly cluster: Cluster; readonly server: Server; readonly port: number }[] = []
let redis: RedisServer

beforeAll(async () => {
  redis = await RedisServer.start()
  for (const id of ['a', 'b']) {
    const config = { name: 'shop', node: { id }, backend: { type: 'redis', port: redis.port }, log: () => {} } as const
    const cluster = await createCluster(config)
    await cluster.ready()
    const sessions = cluster.sessions()
    const server = createServer(LONG_LIVED, (req, res) => {
      sessions(req, res, (error?: unknown) => {
        if (error !== undefined && error !== null) fail(res, error)
        else application(req as unknown as TestRequest, res).catch((problem: unknown) => fail(res, problem))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    nodes.push({ cluster, server, port: (server.address() as AddressInfo).port })
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

async function application(req: TestRequest, res: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://shop')
  const { session } = req
  const user = session['user'] ?? null
  const door = doors.get(searchParams.get('door') ?? '')
  door?.arrived()
  await door?.pass
  if (pathname === '/login') {
    session['user'] = searchParams.get('user') ?? ''
    await session.setPrincipal(searchParams.get('user'))
  } else if (pathname === '/write') session['late'] = searchParams.get('door')
  else if (pathname === '/rotate') await session.rotate()
  else if (pathname === '/logout') await session.destroy()
  res.end(JSON.stringify({ value: user }))
}

function fail(res: ServerResponse, problem: unknown): void {
  if (!res.headersSent) res.statusCode = (problem as { readonly status?: number }).status ?? 500
  res.end(JSON.stringify({ error: String(problem) }))
}

/** `all`: so many requests wait behind it. */
function doorTo(name: string, requests: number): { readonly all: Promise<void>; readonly open: () => void } {
  let [waiting, open, complete] = [0, (): void => {}, (): void => {}]
  const pass = new Promise<void>((resolve) => (open = resolve))
  const all = new Promise<void>((resolve) => (complete = resolve))
  doors.set(name, { pass, arrived: () => void (++waiting === requests && complete()) })
  return { all, open }
}

test(`${TRIALS} logouts while three other requests of the session are in flight on two nodes: none alive, no 500, no key that stays`, async () => {
  const counts = { revived: 0, failed: 0, requests: 0, lateAnswers: 0 }
  const ask = async (browser: Browser, node: number, path: string): Promise<Page> => {
    const page = await browser.get(nodes[node % 2]?.port ?? 0, path)
    counts.requests++
    if (page.status >= 500) counts.failed++
    return page
  }

  await each(TRIALS, AT_ONCE, async (trial) => {
    const browser = new Browser()
    await ask(browser, trial, `/login?user=user-${trial}`)
    const tabs = Array.from({ length: LATE.length + 1 }, () => copyOf(browser))
    // Every other time all four have loaded the session and go on at once, else the logout has been answered before.
    const isRace = trial % 2 === 0
    const { all, open } = doorTo(`${trial}`, LATE.length + (isRace ? 1 : 0))
    const late = LATE.map((what, i) => ask(tabs[i] as Browser, trial + i, `/${what}?door=${trial}`))
    const logOut = (path: string): Promise<Page> => ask(tabs.at(-1) as Browser, trial + 1, path)
    const racing = isRace ? logOut(`/logout?door=${trial}`) : undefined
    await all
    if (!isRace) await logOut('/logout')
    open()
    await racing
    const pages = await Promise.all(late)
    doors.delete(`${trial}`)
    counts.lateAnswers += pages.filter(({ value }) => value === `user-${trial}`).length

    for (const jar of [browser, ...tabs]) {
      for (const node of [0, 1]) if ((await ask(copyOf(jar), node, '/')).value !== null) counts.revived++
    }
    // A new id for a session that is over is a new session, with nothing in it. Without it none is left.
    await ask(tabs[LATE.indexOf('rotate')] as Browser, trial, '/logout')
  })

  const staying: string[] = []
  const client = redis.client()
  for await (const keys of client.scanStream({ match: 'session-mesh:*', count: 1_000 })) {
    // Others are gone since they were named.
    for (const key of keys as string[]) if ((await client.pttl(key)) === -1) staying.push(key)
  }
  client.disconnect()
  report(`${TRIALS} logouts over HTTP with requests in flight, sessions in Redis`, { ...counts, staying: staying.length })
  expect({ ...counts, staying }).toMatchObject({ revived: 0, failed: 0, staying: [] })
  // They had all loaded the session before it ended.
  expect(counts.lateAnswers).toBe(TRIALS * LATE.length)
})

function copyOf(browser: Browser): Browser {
  const copy = new Browser()
  for (const [name, value] of browser.jar) copy.jar.set(name, value)
  return copy
}
