import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { MemoryBackend } from '../../src/backend/memory/memory.js'
import { sessions } from '../../src/http/middleware.js'
import { resolveSessionOptions } from '../../src/http/options.js'
import { silent } from '../../src/log.js'
import { IdCodec } from '../../src/session/id.js'
import { each } from '../support/load.js'
import { Browser } from '../support/browser.js'
import { loopbackCluster } from './loopback-nodes.js'
import { bare, routes, serve } from './support.js'

const CAP = 200
const FLOOD = 10_000

const shop = routes({
  '/': (_req, res) => void res.end('{}'),
  '/write': (req, res) => {
    req.session.n = (req.session.n ?? 0) + 1
    res.end(JSON.stringify({ value: req.session.n }))
  },
})

test(`H17: ${FLOOD} cookieless requests that write fill the cap, no more, and existing sessions are served`, async () => {
  const ids = new IdCodec(['0123456789abcdef0123456789abcdef'], randomBytes)
  const backend = new MemoryBackend({ ids, now: Date.now, limits: { sessions: CAP } })
  const middleware = sessions(backend, resolveSessionOptions({}), { now: Date.now, log: silent })
  const { port } = await serve(bare(middleware, shop))
  const regular = new Browser()
  await regular.get(port, '/write')

  const statuses = new Map<number, number>()
  await each(FLOOD, 50, async () => {
    const { status } = await new Browser().get(port, '/write')
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  })

  expect(Object.fromEntries(statuses)).toEqual({ 200: CAP - 1, 503: FLOOD - CAP + 1 })
  expect(backend.size().sessions).toBe(CAP)
  expect((await regular.get(port, '/write')).value).toBe(2)
  const refused = await fetch(`http://127.0.0.1:${port}/write`)
  expect(refused.status).toBe(503)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(refused.headers.get('set-cookie')).toBeNull()
})

test('1,000 strangers who look around make no session, set no cookie and send the peers nothing', async () => {
  const { nodes, node } = await loopbackCluster(2)
  const { backend } = node(0)
  const { port } = await serve(bare(sessions(backend, resolveSessionOptions({}), { now: Date.now, log: silent }), shop))
  const framesSent = (): number => Number(backend.counters()['session_mesh_frames_sent_total'])
  const strangers = Array.from({ length: 1_000 }, () => new Browser())

  const before = framesSent()
  const startedAt = performance.now()
  await each(strangers.length, 50, async (i) => void (await strangers[i]?.get(port, '/')))

  expect(strangers.every(({ jar }) => jar.size === 0)).toBe(true)
  expect(nodes.map((one) => one.backend.size().sessions)).toEqual([0, 0])
  // One digest a second, with and without visitors.
  expect(framesSent() - before).toBeLessThanOrEqual((performance.now() - startedAt) / 1_000 + 2)
})
