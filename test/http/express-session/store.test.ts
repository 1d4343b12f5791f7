import { createRequire } from 'node:module'
import expressSession from 'express-session'
import { describe, expect, it } from 'vitest'
import type { SessionBackend } from '../../../src/backend/backend.js'
import { TieredBackend } from '../../../src/backend/tiered/tiered.js'
import { AttributeError, BackendError, LimitError, NotReadyError, SessionGoneError } from '../../../src/errors.js'
import { SessionMeshStore, type StoreOptions, type StoreRequest } from '../../../src/express-session.js'
import { silent } from '../../../src/log.js'
import { decodeValue, encodeValue } from '../../../src/session/value.js'
import { Clock, memory, ready, replicated } from './nodes.js'

const ID = 'an-id-that-express-session-made-1'
const OTHER = 'an-id-that-express-session-made-2'
const COOKIE = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' }
const MINUTE = 60_000

interface Stores {
  /** Two nodes, or one twice. */
  readonly a: SessionMeshStore
  readonly b: SessionMeshStore
  readonly backend: SessionBackend
  readonly clock: Clock
  readonly advance: (ms: number) => Promise<void>
}

async function stores(kind: 'one node' | 'two nodes', options?: StoreOptions): Promise<Stores> {
  const clock = new Clock()
  const nodes = kind === 'one node' ? [await memory()] : await replicated(2)
  const [first, second = first] = nodes
  if (first === undefined || second === undefined) throw new Error('no nodes')
  const a = new SessionMeshStore({ backend: first }, options)
  const b = first === second ? a : new SessionMeshStore({ backend: second }, options)
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await ready(nodes)
  }
  return { a, b, backend: first, clock, advance }
}

/** A request as the middleware would make it of a browser that has a session. */
async function request(store: SessionMeshStore, id: string): Promise<Record<string, unknown>> {
  const data = await store.get(id)
  if (data === null) throw new Error('no session')
  const req: StoreRequest = { sessionID: id, sessionStore: store }
  return store.createSession<Record<string, unknown>>(req, data)
}

describe.each(['one node', 'two nodes'] as const)('the store for express-session, %s:', (kind) => {
  describe('basics', () => {
    it('what is set here is found there, with its cookie', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, user: 'ada', cart: { items: [1, { n: 2 }] } })
      expect(await b.get(ID)).toEqual({ cookie: COOKIE, user: 'ada', cart: { items: [1, { n: 2 }] } })
    })

    it('a session that is not there is null, not an error, by callback and by promise', async () => {
      const { a } = await stores(kind)
      expect(await a.get(ID)).toBeNull()
      expect(await new Promise((resolve) => a.get(ID, (...args) => resolve(args)))).toEqual([null, null])
    })

    it('every method takes a callback, which is never called from within the call', async () => {
      const { a, b } = await stores(kind)
      const called = async (call: (callback: (...args: unknown[]) => void) => void): Promise<unknown[]> => {
        let within = true
        const args = new Promise<unknown[]>((resolve, reject) => {
          call((...got) => (within ? reject(new Error('called back from within the call')) : resolve(got)))
        })
        within = false
        return await args
      }
      const session = { cookie: COOKIE, n: 1 }
      expect(await called((done) => a.set(ID, session, done))).toEqual([null, undefined])
      expect(await called((done) => b.get(ID, done))).toEqual([null, session])
      expect(await called((done) => b.touch(ID, session, done))).toEqual([null, undefined])
      expect(await called((done) => b.all(done))).toEqual([null, [session]])
      expect(await called((done) => b.length(done))).toEqual([null, 1])
      expect(await called((done) => a.destroy(ID, done))).toEqual([null, undefined])
      expect(await called((done) => b.length(done))).toEqual([null, 0])
      expect(await called((done) => a.clear(done))).toEqual([null, undefined])
    })

    it('a destroyed session is found nowhere, and destroying it again is no error', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, n: 1 })
      await b.destroy(ID)
      expect([await a.get(ID), await b.get(ID)]).toEqual([null, null])
      await a.destroy(ID)
    })

    it('a set replaces what the one before it wrote, as a caller of the bare store expects', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, first: 1 })
      await a.set(ID, { cookie: COOKIE, second: 2 })
      await a.set(ID, { cookie: COOKIE, third: 3 })
      expect(await b.get(ID)).toEqual({ cookie: COOKIE, third: 3 })
      await b.set(ID, { cookie: COOKIE, fourth: 4 })
      expect(await a.get(ID)).toEqual({ cookie: COOKIE, fourth: 4 })
    })

    it('lists, counts and ends all sessions of express-session, and no others', async () => {
      const { a, b, backend } = await stores(kind)
      const own = await backend.create(
        { writes: [{ name: 'user', kind: 0, value: encodeValue('bob', 'user') }] },
        { maxIdleMs: Infinity, maxLifeMs: Infinity },
      )
      for (let i = 0; i < 600; i++) await a.set(`${ID}-${i}`, { cookie: COOKIE, i })

      const all = await b.all<{ i: number }>()
      expect(all.map(({ i }) => i).sort((x, y) => x - y)).toEqual(Array.from({ length: 600 }, (_, i) => i))
      expect(await b.length()).toBe(600)
      await b.clear()

      expect([await a.length(), await b.length(), await a.all()]).toEqual([0, 0, []])
      expect(await backend.load(own.id, undefined, { deadline: Date.now() + 1_000 })).toMatchObject({ state: 'found' })
    })

    it('keeps many keys, odd names and large ids apart', async () => {
      const { a, b } = await stores(kind)
      const session = { cookie: COOKIE, 'constructor ': 1, 'a.b/c d': 2, ключ: 3 }
      const id = 'x'.repeat(256)
      await a.set(id, session)
      expect(await b.get(id)).toEqual(session)
      expect(await b.get(`${id}x`)).toBeNull()
      expect(await b.get('')).toBeNull()
    })
  })

  describe('merging', () => {
    it('two requests at once that change different attributes lose nothing', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, start: true })
      const [first, second] = [await request(a, ID), await request(b, ID)]
      first['x'] = 1
      second['y'] = 2
      await Promise.all([a.set(ID, first), b.set(ID, second)])
      expect(await a.get(ID)).toEqual({ cookie: COOKIE, start: true, x: 1, y: 2 })
      expect(await b.get(ID)).toEqual({ cookie: COOKIE, start: true, x: 1, y: 2 })
    })

    it('a request that changed nothing takes nothing back, even if it is saved (resave: true)', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, n: 1 })
      const slow = await request(b, ID)
      const writer = await request(a, ID)
      writer['n'] = 2
      await a.set(ID, writer)
      await b.set(ID, slow)
      expect(await a.get(ID)).toEqual({ cookie: COOKIE, n: 2 })
      expect(b.counters.session_mesh_store_saves_unchanged_total).toBe(1)
    })

    it('each save of one request writes what changed since the one before it', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, list: [1] })
      const mine = await request(a, ID)
      mine['list'] = [1, 2]
      await a.set(ID, mine)
      const theirs = await request(b, ID)
      theirs['list'] = [1, 2, 3]
      await b.set(ID, theirs)
      mine['more'] = true
      await a.set(ID, mine)
      expect(await b.get(ID)).toEqual({ cookie: COOKIE, list: [1, 2, 3], more: true })
    })

    it('a change inside an object is found, and a removed attribute is removed', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, cart: { items: [1] }, flash: 'hi', undone: 1 })
      const session = await request(b, ID)
      const cart = session['cart'] as { items: number[] }
      cart.items.push(2)
      delete session['flash']
      session['undone'] = undefined
      await b.set(ID, session)
      expect(await a.get(ID)).toEqual({ cookie: COOKIE, cart: { items: [1, 2] } })
    })

    it('a save never revives a session that ended, with what it was handed or without', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, user: 'ada' })
      const slow = await request(b, ID)
      await a.destroy(ID)
      slow['late'] = true
      await b.set(ID, slow)
      await b.set(ID, { cookie: COOKIE, stranger: true })
      await b.touch(ID, slow)
      expect([await a.get(ID), await b.get(ID)]).toEqual([null, null])
      expect(b.counters.session_mesh_store_saves_gone_total).toBe(2)
    })

    it('says so where that is asked for (onGone: throw)', async () => {
      const { a, b } = await stores(kind, { onGone: 'throw' })
      await a.set(ID, { cookie: COOKIE, user: 'ada' })
      const slow = await request(b, ID)
      await a.destroy(ID)
      slow['late'] = true
      await expect(b.set(ID, slow)).rejects.toBeInstanceOf(SessionGoneError)
    })

    it('each request is compared with what it was handed itself, whatever others were handed since', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, start: true })
      const slow = await request(a, ID)
      const writer = await request(a, ID)
      writer['x'] = 1
      await a.set(ID, writer)
      await request(a, ID)
      slow['y'] = 2
      await a.set(ID, slow)
      expect(await b.get(ID)).toEqual({ cookie: COOKIE, start: true, x: 1, y: 2 })
    })

    it('a session that is saved under another id is another session', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, n: 1 })
      const session = await request(a, ID)
      session['n'] = 2
      await a.set(OTHER, session)
      expect([await b.get(ID), await b.get(OTHER)]).toEqual([{ cookie: COOKIE, n: 1 }, { cookie: COOKIE, n: 2 }])
    })

    it('two first saves under one id at once make one session of both', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, x: 1 })
      const started = (attributes: object): object => {
        const req = { sessionID: OTHER, session: {} }
        a.generate = (asking) => (asking.session = { cookie: COOKIE, ...attributes })
        a.generate(req)
        return req.session
      }
      const [first, second] = [started({ x: 1 }), started({ y: 2 })]
      await Promise.all([a.set(OTHER, first), a.set(OTHER, second)])
      expect(await b.get(OTHER)).toEqual({ cookie: COOKIE, x: 1, y: 2 })
      expect(await b.length()).toBe(2)
    })
  })

  describe('without createSession (@fastify/session)', () => {
    /** A request there copies what `get` answered into an object of its own. */
    const copy = async (store: SessionMeshStore): Promise<Record<string, unknown>> => ({ ...(await store.get(ID)) })

    it('a save is compared with what was handed out, so requests at once lose nothing', async () => {
      const { a } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, start: true })
      const [first, second] = [await copy(a), await copy(a)]
      first['x'] = 1
      second['y'] = 2
      await a.set(ID, first)
      await a.set(ID, second)
      expect(await a.get(ID)).toEqual({ cookie: COOKIE, start: true, x: 1, y: 2 })
    })

    it('a request may save again and again, and take back what it wrote itself', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, flag: false })
      const session = await copy(b)
      for (const flag of [true, false, true, false]) {
        session['flag'] = flag
        await b.set(ID, session)
        expect(await a.get(ID)).toEqual({ cookie: COOKIE, flag })
      }
    })

    it('a slow request does not revive a session that ended', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, user: 'ada' })
      const slow = await copy(b)
      await a.destroy(ID)
      slow['late'] = true
      await b.set(ID, slow)
      expect([await a.get(ID), await b.get(ID)]).toEqual([null, null])
    })
  })

  describe('values', () => {
    it('are what JSON makes of them', async () => {
      const { a, b } = await stores(kind)
      class Money {
        readonly cents = 150
        toJSON(name: string): string {
          return `${name}: ${this.cents / 100}`
        }
      }
      const session = {
        cookie: COOKIE,
        date: new Date(0),
        price: new Money(),
        nan: NaN,
        hole: [undefined, () => 1],
        gone: undefined,
        fn: () => 1,
        map: new Map([[1, 2]]),
        nested: { date: new Date(0), gone: undefined },
        boxed: Object('text'),
        minus: -0,
      }
      await a.set(ID, session)
      expect(await b.get(ID)).toEqual(JSON.parse(JSON.stringify(session)))
      expect(await b.get(ID)).toMatchObject({ price: 'price: 1.5', nan: null, hole: [null, null], map: {} })
    })

    it('a session with toJSON is what that says', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { secret: 1, toJSON: () => ({ cookie: COOKIE, shown: 2 }) })
      expect(await b.get(ID)).toEqual({ cookie: COOKIE, shown: 2 })
    })

    it('that JSON refuses fail the save, and change nothing', async () => {
      const { a, b } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, n: 1 })
      const loop: Record<string, unknown> = {}
      loop['self'] = loop
      const session = await request(a, ID)
      await expect(a.set(ID, Object.assign(session, { n: 2, loop }))).rejects.toBeInstanceOf(TypeError)
      await expect(a.set(ID, { cookie: COOKIE, big: 1n })).rejects.toBeInstanceOf(TypeError)
      await expect(a.set(ID, { cookie: COOKIE, ['a\u0000']: 1 })).rejects.toBeInstanceOf(AttributeError)
      expect(await b.get(ID)).toEqual({ cookie: COOKIE, n: 1 })
    })

    it('richer than JSON, written by others, stay as they are while a request only reads them', async () => {
      const { a, backend } = await stores(kind)
      await a.set(ID, { cookie: COOKIE, n: 1 })
      const found = await backend.load(ID, undefined, { deadline: Date.now() + 1_000 })
      if (found.state !== 'found') throw new Error('not found')
      const rich = encodeValue({ at: new Date(0) }, 'rich')
      const broken = Uint8Array.of(0xc1)
      const writes = [
        { name: 'rich', kind: 0, value: rich },
        { name: 'broken', kind: 0, value: broken },
      ]
      await backend.save(found.ref, { writes }, {})

      const session = await request(a, ID)
      expect('broken' in session).toBe(false)
      session['n'] = 2
      await a.set(ID, session)

      const after = await backend.read(found.ref)
      expect(decodeValue(after?.attributes.get('rich') ?? broken)).toEqual({ ok: true, value: { at: new Date(0) } })
      expect([...(after?.attributes.get('broken') ?? [])]).toEqual([...broken])
    })

    it('beyond the limits of a session fail the save, and change nothing', async () => {
      const { a, b } = await stores(kind, { limits: { bytes: 1_000, attributes: 4 } })
      await a.set(ID, { cookie: COOKIE, n: 1 })
      const session = await request(a, ID)
      await expect(a.set(ID, { ...session, text: 'x'.repeat(1_000) })).rejects.toBeInstanceOf(LimitError)
      await expect(a.set(ID, { ...session, a: 1, b: 2, c: 3 })).rejects.toBeInstanceOf(LimitError)
      await expect(a.set(OTHER, { cookie: COOKIE, text: 'x'.repeat(1_000) })).rejects.toBeInstanceOf(LimitError)
      expect(await b.get(ID)).toEqual({ cookie: COOKIE, n: 1 })
    })
  })

  describe('time', () => {
    it('a bare cookie.maxAge is kept to the millisecond', async () => {
      const { a, b, clock } = await stores('one node')
      void b
      await a.set(ID, { cookie: { maxAge: 2_000 }, n: 1 })
      clock.advance(1_900)
      expect(await a.get(ID)).toMatchObject({ n: 1, cookie: { maxAge: 2_000 } })
      clock.advance(100)
      expect(await a.get(ID)).toBeNull()
    })

    it('a session ends with its cookie, and is counted no more', async () => {
      const { a, b, advance } = await stores(kind)
      const expires = new Date(Date.now() + 5_000)
      await a.set(ID, { cookie: { ...COOKIE, originalMaxAge: 5_000, expires }, n: 1 })
      await a.set(OTHER, { cookie: { expires }, n: 2 })
      expect(await b.get(ID)).toMatchObject({ cookie: { originalMaxAge: 5_000, expires: expect.stringMatching(/^\d{4}-/) } })
      await advance(4_000)
      expect(await b.get(OTHER)).toMatchObject({ n: 2 })
      await advance(1_100)
      expect([await b.get(ID), await b.get(OTHER), await b.length(), await b.all()]).toEqual([null, null, 0, []])
    })

    it('a touch lets it live on, here and there', async () => {
      const { a, b, advance } = await stores(kind)
      const cookie = (): object => ({ ...COOKIE, originalMaxAge: 5_000, expires: new Date(Date.now() + 5_000) })
      await a.set(ID, { cookie: cookie(), n: 1 })
      for (let i = 0; i < 3; i++) {
        await advance(4_000)
        const session = await request(b, ID)
        await b.touch(ID, { ...session, cookie: cookie() })
      }
      await advance(4_000)
      expect(await b.get(ID)).toMatchObject({ n: 1 })
    })

    it('a touch never makes a session, and saves no other change than that of the cookie', async () => {
      const { a, b } = await stores(kind)
      await a.touch(ID, { cookie: COOKIE, n: 1 })
      expect(await b.get(ID)).toBeNull()

      await a.set(ID, { cookie: COOKIE, n: 1 })
      const session = await request(a, ID)
      await a.touch(ID, Object.assign(session, { n: 2, cookie: { ...COOKIE, originalMaxAge: MINUTE, expires: new Date(Date.now() + MINUTE) } }))
      expect(await b.get(ID)).toMatchObject({ n: 1, cookie: { originalMaxAge: MINUTE } })
      await a.set(ID, session)
      expect(await b.get(ID)).toMatchObject({ n: 2 })
    })

    it('saves and touches that find the clock a little further write no cookie', async () => {
      const { a, backend, clock } = await stores(kind)
      const cookie = (): object => ({ ...COOKIE, originalMaxAge: MINUTE - 3, expires: new Date(Date.now() + MINUTE) })
      await a.set(ID, { cookie: { ...cookie(), originalMaxAge: MINUTE }, n: 1 })
      let changed = 0
      backend.subscribe((event) => (changed += event.type === 'changed' ? 1 : 0))
      for (let i = 0; i < 5; i++) {
        clock.advance(7)
        const session = Object.assign(await request(a, ID), { cookie: cookie() })
        await a.touch(ID, session)
        await a.set(ID, session)
      }
      expect(changed).toBe(0)
    })

    it('accesses by @fastify/session, which notes the last moment of expiry, write no cookie either', async () => {
      const { a, backend, clock } = await stores(kind)
      let changed = 0
      const access = async (n: number): Promise<void> => {
        const { cookie } = (await a.get<{ cookie: { expires?: string } }>(ID)) ?? { cookie: {} }
        const expires = new Date(Date.now() + MINUTE)
        await a.set(ID, { cookie: { ...cookie, expires, originalMaxAge: MINUTE, originalExpires: cookie.expires }, n })
        clock.advance(100)
      }
      await access(1)
      await access(2)
      backend.subscribe((event) => (changed += event.type === 'changed' ? 1 : 0))
      for (let i = 0; i < 3; i++) await access(2)
      expect(changed).toBe(0)
    })

    it('a cookie with a moment of expiry and no lifetime ends the session then, however busy', async () => {
      const { a, b, advance } = await stores(kind)
      const expires = new Date(Date.now() + 8_000)
      await a.set(ID, { cookie: { originalMaxAge: null, expires }, n: 1 })
      await advance(6_000)
      expect(await b.get(ID)).toEqual({ cookie: { originalMaxAge: null, expires: expires.toISOString() }, n: 1 })
      await b.touch(ID, { cookie: { originalMaxAge: null, expires } })
      await b.set(ID, { cookie: { originalMaxAge: null, expires }, n: 2 })
      await advance(2_500)
      expect([await a.get(ID), await b.get(ID)]).toEqual([null, null])
    })

    it('a session without a lifetime of its own has that of the store', async () => {
      const { a, b, advance } = await stores(kind, { ttl: 8_000 })
      await a.set(ID, { cookie: COOKIE, n: 1 })
      await a.set(OTHER, { n: 2 })
      await advance(7_000)
      expect([await b.get(ID), await b.get(OTHER)]).toMatchObject([{ n: 1 }, { n: 2 }])
      await advance(1_500)
      expect([await b.get(ID), await b.get(OTHER)]).toEqual([null, null])
    })

    it('a lifetime can be absolute', async () => {
      const { a, b, advance } = await stores(kind, { maxLifetime: 8_000 })
      await a.set(ID, { cookie: COOKIE, n: 1 })
      await advance(7_000)
      await b.set(ID, Object.assign(await request(b, ID), { n: 2 }))
      await advance(1_500)
      expect(await b.get(ID)).toBeNull()
    })

    it('a save with a cookie of the past ends a session, and makes none', async () => {
      const { a, b } = await stores(kind)
      const past = { ...COOKIE, originalMaxAge: -1_000, expires: new Date(Date.now() - 1_000) }
      await a.set(OTHER, { cookie: past, n: 1 })
      await a.set(ID, { cookie: COOKIE, n: 1 })
      await a.set(ID, Object.assign(await request(a, ID), { cookie: past }))
      expect([await b.get(ID), await b.get(OTHER), await b.length()]).toEqual([null, null, 0])
    })
  })

  it('refuses ids that can be guessed, unless told otherwise (T11)', async () => {
    const { a } = await stores(kind)
    await expect(a.set('0123456789abcdef', { cookie: COOKIE })).rejects.toThrow(/16 characters can be guessed/)
    const lax = await stores(kind, { idLengthMin: 1 })
    await lax.a.set('short', { cookie: COOKIE, n: 1 })
    expect(await lax.b.get('short')).toMatchObject({ n: 1 })
  })

  it('never adopts an id that it was only asked for (T10)', async () => {
    const { a, b } = await stores(kind)
    expect(await a.get(ID)).toBeNull()
    await a.touch(ID, { cookie: COOKIE, fixed: true })
    expect(await b.length()).toBe(0)
  })

  it('reads a session outside of a request', async () => {
    const { a, b } = await stores(kind)
    await a.set(ID, { cookie: COOKIE, n: 1 })
    const session = await b.load(ID)
    expect(session).toMatchObject({ id: ID, n: 1 })
    await new Promise((resolve) => Object.assign(session ?? {}, { n: 2 }) && session?.save(resolve))
    expect(await a.get(ID)).toMatchObject({ n: 2 })
    expect(await b.load(OTHER)).toBeNull()
    expect(await new Promise((resolve) => b.load(OTHER, (...args) => resolve(args)))).toEqual([null, undefined])
  })
})

describe('the store for express-session', () => {
  it('hands a failing backend to the callback and to the promise (H19)', async () => {
    const backend = await memory()
    const store = new SessionMeshStore({ backend })
    await store.set(ID, { cookie: COOKIE, n: 1 })
    const session = await request(store, ID)
    await backend.close()

    for (const call of [() => store.get(ID), () => store.set(ID, { ...session }), () => store.destroy(ID), () => store.length()]) {
      await expect(call()).rejects.toBeInstanceOf(BackendError)
    }
    expect(await new Promise((resolve) => store.get(ID, resolve))).toBeInstanceOf(BackendError)
  })

  it('answers an error while its node cannot tell, never a stranger', async () => {
    const backend = await memory()
    const behind = replacing(backend, 'load', () => ({ state: 'behind', retryAfterMs: 500 }))
    const store = new SessionMeshStore({ backend: behind })
    await expect(store.get(ID)).rejects.toBeInstanceOf(NotReadyError)
    await expect(store.destroy(ID)).rejects.toMatchObject({ retryAfterMs: 500, status: 503 })
  })

  it('says when it can be used, and when no longer', async () => {
    const backend = await memory()
    let close = (): void => {}
    const store = new SessionMeshStore({ backend, closed: new Promise((resolve) => (close = resolve)) })
    const events: string[] = []
    for (const event of ['connect', 'disconnect']) store.on(event, () => events.push(event))
    await Promise.resolve()
    expect(events).toEqual(['connect'])
    close()
    await Promise.resolve()
    await Promise.resolve()
    expect(events).toEqual(['connect', 'disconnect'])
  })

  it('waits for every node where reads may lag behind writes, and only there', async () => {
    const asked: unknown[] = []
    const spied = (backend: SessionBackend): SessionBackend =>
      replacing(backend, 'create', (delta, options) => {
        asked.push(options.acks)
        return backend.create(delta, options)
      })
    const [node] = await replicated(2)
    if (node === undefined) throw new Error('no node')
    await new SessionMeshStore({ backend: spied(node) }).set(ID, { cookie: COOKIE })
    await new SessionMeshStore({ backend: spied(node) }, { acks: 'one' }).set(OTHER, { cookie: COOKIE })
    await new SessionMeshStore({ backend: spied(await memory()) }).set(ID, { cookie: COOKIE })
    const far = await memory()
    const cache = new TieredBackend({ near: await memory(), far, mode: 'near-cache', now: Date.now, log: silent })
    await cache.open()
    const stamped = Object.assign(spied(cache), { powers: { ...cache.powers, stamps: true } })
    await new SessionMeshStore({ backend: stamped }).set(ID, { cookie: COOKIE })
    await cache.close()
    expect(asked).toEqual(['all', 'one', undefined, undefined])
  })

  it('makes sessions of the class of the express-session it is given', async () => {
    const store = new SessionMeshStore({ backend: await memory() }, { expressSession })
    await store.set(ID, { cookie: { ...COOKIE, originalMaxAge: MINUTE, expires: new Date(Date.now() + MINUTE) }, n: 1 })
    const session = await request(store, ID)
    const { Session, Cookie } = createRequire(import.meta.url)('express-session') as typeof expressSession
    expect(session).toBeInstanceOf(Session)
    expect(session['cookie']).toBeInstanceOf(Cookie)
    session['n'] = 2
    await store.set(ID, session)
    expect(await store.get(ID)).toMatchObject({ n: 2 })
  })

  it('remembers what it handed out for so many ids, not for all', async () => {
    const store = new SessionMeshStore({ backend: await memory() })
    await store.set(ID, { cookie: COOKIE, start: true })
    const copy = { ...(await store.get(ID)), mine: true }
    for (let i = 0; i < 10_001; i++) await store.set(`${OTHER}-${i}`, { cookie: COOKIE })
    await store.set(ID, copy)
    expect(await store.get(ID)).toEqual({ cookie: COOKIE, start: true, mine: true })
  })
})

/** The backend with one method of the test's own. */
function replacing<Name extends 'load' | 'create'>(backend: SessionBackend, name: Name, method: SessionBackend[Name]): SessionBackend {
  return new Proxy(backend, {
    get(target, property) {
      if (property === name) return method
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
