import { expect, test } from 'vitest'
import type { SessionBackend } from '../../src/backend/backend.js'
import { sessions } from '../../src/http/middleware.js'
import { resolveSessionOptions } from '../../src/http/options.js'
import { silent } from '../../src/log.js'
import { loopbackCluster } from '../http/loopback-nodes.js'
import { bare, routes, serve, type TestRequest } from '../http/support.js'
import { Browser } from '../support/browser.js'
import { each, report } from '../support/load.js'

const TRIALS = 10_000
const SLOW_COMMIT_MS = 300

/** The answers of the calls that make a session known, later: a commit on a slow network. */
function slow(backend: SessionBackend): SessionBackend {
  return new Proxy(backend, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'create' && name !== 'rotate') return value.bind(target)
      return async (...args: unknown[]) => {
        await new Promise((resolve) => setTimeout(resolve, SLOW_COMMIT_MS))
        return Reflect.apply(value, target, args)
      }
    },
  })
}

const value = (req: TestRequest): unknown => {
  const name = new URL(req.url ?? '/', 'http://shop').searchParams.get('name') ?? 'user'
  return req.session[name] ?? null
}

/** Doors that a test opens: requests that are in the middle of their work wait behind them. */
const doors = new Map<string, () => void>()

const shop = routes({
  '/login': (req, res) => {
    req.session['user'] = 'ada'
    res.writeHead(302, { location: '/' }).end()
  },
  '/': (req, res) => void res.end(JSON.stringify({ value: value(req) })),
  '/set': async (req, res) => {
    const { searchParams } = new URL(req.url ?? '/', 'http://shop')
    const door = searchParams.get('door')
    const pass = new Promise<void>((resolve) => (door === null ? resolve() : doors.set(door, resolve)))
    req.session[searchParams.get('name') ?? 'n'] = searchParams.get('to')
    await pass
    res.end('{}')
  },
  '/logout': async (req, res) => {
    await req.session.destroy()
    res.end('{}')
  },
})

async function ports(size: number, wrap = (backend: SessionBackend): SessionBackend => backend): Promise<readonly number[]> {
  const { nodes } = await loopbackCluster(size)
  const options = resolveSessionOptions({})
  const clients = await Promise.all(
    nodes.map(({ backend }) => serve(bare(sessions(wrap(backend), options, { now: Date.now, log: silent }), shop))),
  )
  return clients.map((client) => client.port)
}

async function opened(door: string): Promise<void> {
  await expect.poll(() => doors.has(door), { interval: 1, timeout: 10_000 }).toBe(true)
}

test.each([1, 2])(`our middleware, ${TRIALS} times on %d node(s): requests that cross`, async (size) => {
  const [a = 0, b = a] = await ports(size)
  const lost = { changes: 0, revived: 0 }

  await each(TRIALS, 64, async (i) => {
    const browser = new Browser()
    await browser.get(a, '/set?name=user&to=ada')
    const first = browser.get(a, `/set?name=x&to=1&door=x${size}-${i}`)
    const second = browser.get(b, `/set?name=y&to=2&door=y${size}-${i}`)
    await Promise.all([opened(`x${size}-${i}`), opened(`y${size}-${i}`)])
    doors.get(`x${size}-${i}`)?.()
    doors.get(`y${size}-${i}`)?.()
    await Promise.all([first, second])
    if ((await browser.get(b, '/?name=x')).value !== '1' || (await browser.get(a, '/?name=y')).value !== '2') lost.changes++

    const thief = new Browser()
    for (const [name, cookie] of browser.jar) thief.jar.set(name, cookie)
    const slowWriter = browser.get(a, `/set?name=late&to=1&door=z${size}-${i}`)
    await opened(`z${size}-${i}`)
    const other = new Browser()
    for (const [name, cookie] of thief.jar) other.jar.set(name, cookie)
    await other.get(b, '/logout')
    doors.get(`z${size}-${i}`)?.()
    await slowWriter
    for (const name of ['x', 'y', 'z']) doors.delete(`${name}${size}-${i}`)
    if ((await thief.get(a, '/')).value !== null || (await thief.get(b, '/')).value !== null) lost.revived++
  })

  report(`${size} node(s), two requests change different attributes: one lost`, `${lost.changes} of ${TRIALS}`)
  report(`${size} node(s), logout during a request that writes: session back`, `${lost.revived} of ${TRIALS}`)
  expect(lost).toEqual({ changes: 0, revived: 0 })
})

test(`a redirect after login, followed at once on another node, with a commit of ${SLOW_COMMIT_MS} ms, ${TRIALS} times`, async () => {
  const [a = 0, b = 0] = await ports(2, slow)
  let anonymous = 0

  await each(TRIALS, 500, async () => {
    const browser = new Browser()
    const login = await browser.get(a, '/login')
    if (login.status !== 302 || (await browser.get(b, '/')).value !== 'ada') anonymous++
  })

  report(`redirect after login, followed at once on another node: anonymous`, `${anonymous} of ${TRIALS}`)
  expect(anonymous).toBe(0)
})
