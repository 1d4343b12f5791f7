/**
 * The races of @fastify/session, which does not say what it made of what the Store handed out: requests through a real
 * Fastify, without sockets. What is slow is slow because the test holds it, so every trial is the worst case.
 */
import fastify, { type FastifyPluginCallback } from 'fastify'
import { createRequire } from 'node:module'
import { expect, onTestFinished, test } from 'vitest'
import { gate } from '../../src/auditor/check.js'
import { SessionMeshStore } from '../../src/express-session.js'
import { memory, replicated } from '../http/express-session/nodes.js'
import { each, report } from '../support/load.js'

const TRIALS = 2_000
const PEER_TRIALS = 500
const WIDTH = 32

/** Not by their types: those would declare `request.session` for every test. */
const require = createRequire(import.meta.url)
const fastifyCookie = require('@fastify/cookie') as FastifyPluginCallback
const fastifySession = require('@fastify/session') as FastifyPluginCallback<Record<string, unknown>> & { readonly MemoryStore: new (map: object) => object }

type Data = Record<string, unknown>
type Work = (session: Data) => unknown

/** One browser's request: its cookie, what happens meanwhile, and the cookie it has afterwards. */
type Ask = (cookie: string, work: Work) => Promise<string>

async function node(store: object): Promise<Ask> {
  const app = fastify()
  await app.register(fastifyCookie)
  const options = { secret: 'a secret of 32 characters, or more', saveUninitialized: false, cookie: { secure: false } }
  await app.register(fastifySession, { ...options, store })
  const works = new Map<string, Work>()
  let asked = 0
  app.get('/:work', (request) => {
    const { session } = request as unknown as { readonly session: Data }
    return Promise.resolve(works.get((request.params as { work: string }).work)?.(session)).then(() => '')
  })
  onTestFinished(() => app.close())
  return async (sent, work) => {
    const name = String(asked++)
    works.set(name, work)
    const answer = await app.inject({ url: `/${name}`, headers: sent === '' ? {} : { cookie: sent } })
    works.delete(name)
    expect(answer.statusCode).toBe(200)
    return String(answer.headers['set-cookie'] ?? sent).split(';')[0] ?? ''
  }
}

/** How many of so many sessions do not end as `wanted`, on either node. */
async function wrong(trials: number, nodes: readonly Ask[], race: (cookie: string) => Promise<void>, wanted: object): Promise<number> {
  let count = 0
  await each(trials, WIDTH, async () => {
    const [first] = nodes
    const cookie = (await first?.('', (session) => (session['n'] = 0))) ?? ''
    await race(cookie)
    for (const ask of nodes) {
      let held: unknown
      await ask(cookie, ({ n, x, y }) => (held = { n, x, y }))
      if (JSON.stringify(held) !== JSON.stringify(wanted)) return void count++
    }
  })
  return count
}

/** Two requests that were handed the same change different attributes. */
function together(a: Ask, b: Ask): (cookie: string) => Promise<void> {
  return async (cookie) => {
    const both = gate(2)
    const change = (name: string): Work => async (session) => {
      await both()
      session[name] = 1
    }
    await Promise.all([a(cookie, change('x')), b(cookie, change('y'))])
  }
}

/** One that is slow, one that changes the session meanwhile, and one that sees that before the slow one is done. */
function overtaken(a: Ask, b: Ask): (cookie: string) => Promise<void> {
  return async (cookie) => {
    const loaded = gate(2)
    const seen = gate(2)
    const slow = b(cookie, async (session) => {
      await loaded()
      await seen()
      session['y'] = 1
    })
    await loaded()
    await a(cookie, (session) => (session['x'] = 1))
    await b(cookie, async () => await seen())
    await slow
  }
}

test.each([
  ['two requests at once', together],
  ['a slow request that two others overtake', overtaken],
] as const)('%s change different attributes', async (name, race) => {
  const peer = await node(new fastifySession.MemoryStore(new Map()))
  const alone = await node(new SessionMeshStore({ backend: await memory() }))
  const [a, b] = await Promise.all((await replicated(2)).map(async (backend) => await node(new SessionMeshStore({ backend }))))
  if (a === undefined || b === undefined) throw new Error('no nodes')
  const wanted = { n: 0, x: 1, y: 1 }

  const onMemoryStore = await wrong(PEER_TRIALS, [peer], race(peer, peer), wanted)
  const onOne = await wrong(TRIALS, [alone], race(alone, alone), wanted)
  const onTwo = await wrong(TRIALS, [a, b], race(a, b), wanted)

  report(`@fastify/session, ${name}: a change lost, MemoryStore`, `${onMemoryStore} of ${PEER_TRIALS}`)
  report(`@fastify/session, ${name}: a change lost, this Store on one node / on two`, `${onOne} / ${onTwo} of ${TRIALS}`)
  expect(onMemoryStore).toBeGreaterThan(PEER_TRIALS * 0.9)
  expect([onOne, onTwo]).toEqual([0, 0])
})
