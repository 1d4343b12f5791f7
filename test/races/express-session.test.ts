/**
 * The races of express-session, each 10,000 times: in one process, without sockets, through the real middleware. What is
 * slow is slow because the test holds it, so every trial is the worst case.
 */
import expressSession, { type Store } from 'express-session'
import { randomBytes } from 'node:crypto'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { gate } from '../../src/auditor/check.js'
import { SessionMeshStore } from '../../src/express-session.js'
import { memory, replicated } from '../http/express-session/nodes.js'
import { each, report } from '../support/load.js'

const TRIALS = 10_000
/** Enough to see what express-session does alone. */
const PEER_TRIALS = 2_000
/** Trials at once: as many sessions are in flight on every node. */
const WIDTH = 64

interface Data {
  [name: string]: unknown
  destroy(callback: (error?: unknown) => void): void
}

/** What a request does with its session while it runs; the response ends when it resolves. */
type Work = (session: Data) => unknown

/** An application's session middleware, as one browser's request meets it. */
type Ask = (cookie: string, work: Work) => Promise<string>

/** A response that goes nowhere. */
class Response extends ServerResponse {
  readonly done: Promise<void>
  #finish: () => void = () => {}

  constructor(req: IncomingMessage) {
    super(req)
    this.done = new Promise((resolve) => (this.#finish = resolve))
  }

  override write(): boolean {
    if (!this.headersSent) this.writeHead(this.statusCode)
    return true
  }

  override end(): this {
    if (!this.headersSent) this.writeHead(this.statusCode)
    this.#finish()
    return this
  }
}

const socket = new Socket()

function node(store: Store): Ask {
  const genid = (): string => randomBytes(24).toString('base64url')
  const middleware = expressSession({ secret: 'a secret', resave: false, saveUninitialized: false, store, genid })
  return async (cookie, work) => {
    const req = new IncomingMessage(socket)
    Object.assign(req, { url: '/', method: 'GET' })
    if (cookie !== '') req.headers.cookie = cookie
    const res = new Response(req)
    await new Promise<void>((resolve, reject) => {
      const next = (error?: unknown): void => (error === undefined ? resolve() : reject(error))
      void middleware(req as never, res as never, next)
    })
    await work((req as unknown as { session: Data }).session)
    res.end()
    await res.done
    const line = res.getHeader('set-cookie')
    return Array.isArray(line) ? String(line[0]).split(';')[0] ?? '' : cookie
  }
}

/** Two requests that have both loaded the session change different attributes. How often is one lost? */
async function lostUpdates(trials: number, a: Ask, b: Ask): Promise<number> {
  let lost = 0
  await each(trials, WIDTH, async (i) => {
    const cookie = await a('', (session) => (session['n'] = i))
    const both = gate(2)
    const change = (name: string): Work => async (session) => {
      await both()
      session[name] = i
    }
    await Promise.all([a(cookie, change('x')), b(cookie, change('y'))])
    for (const ask of [a, b]) {
      let kept = false
      await ask(cookie, ({ n, x, y }) => (kept = n === i && x === i && y === i))
      if (!kept) return void lost++
    }
  })
  return lost
}

/** A logout while a request that has loaded the session goes on and changes it. How often is the session back? */
async function revivals(trials: number, a: Ask, b: Ask): Promise<number> {
  let revived = 0
  await each(trials, WIDTH, async (i) => {
    const cookie = await a('', (session) => (session['user'] = i))
    const loaded = gate(2)
    const loggedOut = gate(2)
    const slow = b(cookie, async (session) => {
      await loaded()
      await loggedOut()
      session['late'] = true
    })
    await loaded()
    await a(cookie, async (session) => await new Promise((resolve) => session.destroy(resolve)))
    await loggedOut()
    await slow
    for (const ask of [a, b]) {
      let back = false
      await ask(cookie, ({ user }) => (back = user === i))
      if (back) return void revived++
    }
  })
  return revived
}

/** Saves of a session that was only read, while another request writes to it: how often is the write undone? */
async function undoneWrites(trials: number, a: Ask, b: Ask): Promise<number> {
  let undone = 0
  await each(trials, WIDTH, async (i) => {
    const cookie = await a('', (session) => (session['n'] = 0))
    const loaded = gate(2)
    const written = gate(2)
    const slow = b(cookie, async (session) => {
      await loaded()
      await written()
      await new Promise((resolve) => (session as unknown as { save(done: (value: unknown) => void): void }).save(resolve))
    })
    await loaded()
    await a(cookie, (session) => (session['n'] = i + 1))
    await written()
    await slow
    let kept = false
    await a(cookie, ({ n }) => (kept = n === i + 1))
    if (!kept) undone++
  })
  return undone
}

const RACES = [
  ['two requests change different attributes: one lost', lostUpdates],
  ['logout during a request that writes: session back', revivals],
  ['a save of a session that was only read undoes a write', undoneWrites],
] as const

test.each(RACES)('%s: never, where MemoryStore fails nearly always', async (name, race) => {
  const memoryStore = node(new expressSession.MemoryStore())
  const single = node(new SessionMeshStore({ backend: await memory() }))

  const peer = await race(PEER_TRIALS, memoryStore, memoryStore)
  const alone = await race(TRIALS, single, single)
  // Not before: what runs in one process alone leaves no turn to nodes, which would doubt their clocks after that.
  const [first, second] = (await replicated(2)).map((backend) => node(new SessionMeshStore({ backend })))
  if (first === undefined || second === undefined) throw new Error('no nodes')
  const across = await race(TRIALS, first, second)

  report(`${name}, MemoryStore`, `${peer} of ${PEER_TRIALS}`)
  report(`${name}, this Store on one node / on two`, `${alone} / ${across} of ${TRIALS}`)
  expect(peer).toBeGreaterThan(PEER_TRIALS * 0.9)
  expect([alone, across]).toEqual([0, 0])
})
