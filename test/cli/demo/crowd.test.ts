import { createServer, type Server } from 'node:http'
import session from 'express-session'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { shop } from '../../../examples/shop/shop.js'
import { Crowd } from '../../../src/cli/demo/crowd.js'

const SIZE = { sessions: 6, concurrency: 3, clicks: 10 }
const NEVER = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] as const

let server: Server
let port = 0
let store = new session.MemoryStore()
let crowd: Crowd

beforeEach(async () => {
  store = new session.MemoryStore()
  const app = shop(session({ store, secret: 'not a secret', resave: false, saveUninitialized: false }), 'a')
  server = createServer((req, res) => void app(req, res))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  port = typeof address === 'object' ? (address?.port ?? 0) : 0
  crowd = new Crowd(SIZE, port, () => performance.now())
})

afterEach(async () => {
  crowd.leave()
  server.closeAllConnections()
  await new Promise((closed) => server.close(closed))
})

/** Changes what the node keeps behind the back of its browsers. */
function tamper(change: (kept: Record<string, unknown>) => Record<string, unknown> | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    store.all((error, sessions) => {
      if (error) return reject(error as Error)
      for (const [id, kept] of Object.entries(sessions ?? {})) {
        const changed = change(kept as unknown as Record<string, unknown>)
        if (changed === undefined) store.destroy(id)
        else store.set(id, changed as unknown as session.SessionData)
      }
      resolve()
    })
  })
}

test('a crowd on one node is never sent to log in, sees its own changes, and finds every session', async () => {
  await crowd.enter(SIZE.clicks)

  expect(crowd.figures).toMatchObject({ clicks: 60, loginRedirects: 0, strangers: 0, staleCarts: 0, unanswered: 0 })
  expect(await crowd.missingOn(port, ...NEVER)).toEqual([])
})

test('a session that a node has lost is missed', async () => {
  await crowd.enter(SIZE.clicks)

  await tamper((kept) => (JSON.stringify(kept).includes('Shopper 3') ? undefined : kept))

  expect(await crowd.missingOn(port, ...NEVER)).toEqual(['Shopper 3'])
})

test('a lost change is missed, unless it was made in the time that excuses it', async () => {
  await crowd.enter(5)
  const afterHalf = performance.now()
  await crowd.goOn(5, () => {})

  await tamper((kept) => ({ ...kept, cart: { teapot: 2 } })) // three were put into each cart, one of them later

  expect(await crowd.missingOn(port, ...NEVER)).toHaveLength(SIZE.sessions)
  expect(await crowd.missingOn(port, afterHalf, performance.now())).toEqual([])
  expect(crowd.shoppers.every((shopper) => shopper.changedBetween(afterHalf, performance.now()))).toBe(true)
})

test('a node that forgets everything in the middle shows as login redirects and stale carts', async () => {
  await crowd.enter(5)
  await tamper((kept) => (JSON.stringify(kept).includes('Shopper 1"') ? undefined : { ...kept, cart: {} }))
  await crowd.goOn(5, () => {})

  const { loginRedirects, staleCarts } = crowd.figures
  expect(loginRedirects).toBeGreaterThan(0)
  expect(staleCarts).toBeGreaterThan(0)
})
