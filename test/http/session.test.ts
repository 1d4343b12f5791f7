import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { AttributeError, SessionGoneError } from '../../src/errors.js'
import { encodeValue } from '../../src/session/value.js'
import { bare, held, json, Latch, mount, remote, serve, until, visit } from './support.js'

describe('req.session is like a plain object:', () => {
  it('it lists, spreads, tests, deletes, prints and serialises its attributes and nothing else', async () => {
    await visit(
      mount(),
      ({ session }) => {
        session.user = 'ada'
        session.n = 1
        session['temporary'] = true
      },
      ({ session }) => {
        delete session['temporary']
        session['new'] = [1]

        expect(Object.keys(session)).toEqual(['user', 'n', 'new'])
        expect({ ...session }).toEqual({ user: 'ada', n: 1, new: [1] })
        expect(JSON.stringify(session)).toBe('{"user":"ada","n":1,"new":[1]}')
        expect(inspect(session)).toBe("{ user: 'ada', n: 1, new: [ 1 ] }")
        expect(Object.entries(session)).toHaveLength(3)
        expect(structuredClone(session.toObject())).toEqual({ user: 'ada', n: 1, new: [1] })
        const seen: string[] = []
        for (const name in session) seen.push(name)
        expect(seen).toEqual(['user', 'n', 'new'])
        expect('user' in session && 'save' in session && 'toString' in session).toBe(true)
        expect('temporary' in session || 'absent' in session).toBe(false)
        expect(Object.hasOwn(session, 'user')).toBe(true)
        expect(Object.hasOwn(session, 'save')).toBe(false)
        expect(Object.getPrototypeOf(session)).toBe(Object.prototype)
        expect(Object.prototype.toString.call(session)).toBe('[object Object]')
      },
      ({ session }) => expect(session.toObject()).toEqual({ user: 'ada', n: 1, new: [1] }),
    )
  })

  it('what is read twice is the same object, and each request has its own copy', async () => {
    let first: unknown
    await visit(
      mount(),
      ({ session }) => {
        session.cart = { items: [1] }
        expect(session.cart).toBe(session.cart)
        first = session.cart
      },
      ({ session }) => {
        expect(session.cart).toEqual({ items: [1] })
        expect(session.cart).toBe(session.cart)
        expect(session.cart).not.toBe(first)
      },
    )
  })

  it('attributes may be called like what objects inherit', async () => {
    await visit(
      mount(),
      ({ session }) => {
        expect(session['constructor']).toBe(Object)
        Object.assign(session, { constructor: 'c', toString: 't', hasOwnProperty: 'h' })
      },
      ({ session }) => {
        expect(session.toObject()).toEqual({ constructor: 'c', toString: 't', hasOwnProperty: 'h' })
        Reflect.deleteProperty(session, 'toString')
        expect(Object.keys(session)).toEqual(['constructor', 'hasOwnProperty'])
      },
    )
  })

  it('Object.defineProperty sets a value, freezing fails', async () => {
    await visit(
      mount(),
      ({ session }) => {
        Object.defineProperty(session, 'n', { value: 4 })
        expect(() => Object.defineProperty(session, 'm', { get: () => 1 })).toThrow('accessor')
        expect(() => Object.freeze(session)).toThrow(TypeError)
      },
      ({ session }) => expect({ ...session }).toEqual({ n: 4 }),
    )
  })
})

describe('what cannot be an attribute is refused where it is assigned:', () => {
  it.each([
    'id', 'isNew', 'createdAt', 'lastAccessedAt', 'cookie', 'save', 'reload', 'touch', 'commit', 'rotate', 'regenerate',
    'destroy', 'setPrincipal', 'aliases', 'urlFor', 'toObject',
  ])('the reserved name %s (H11, T34)', async (name) => {
    await visit(mount(), ({ session }) => {
      expect(() => Reflect.set(session, name, 'x')).toThrow(AttributeError)
      expect(() => Reflect.set(session, name, 'x')).toThrow(`session.${name} is reserved`)
      expect(session.toObject()).toEqual({})
    })
  })

  it.each([['__proto__'], [''], ['a\u0000b'], ['x'.repeat(257)], ['\ud800']])('the name %j', async (name) => {
    await visit(mount(), ({ session }) => {
      expect(() => Reflect.set(session, name, {})).toThrow('cannot name an attribute')
      expect(Object.getPrototypeOf(session)).toBe(Object.prototype)
    })
  })

  it('functions and symbols, and symbols as names (H12)', async () => {
    await visit(mount(), ({ session }) => {
      expect(() => (session['f'] = () => 1)).toThrow('session.f cannot be kept: it is a function')
      expect(() => (session['s'] = Symbol('s'))).toThrow('session.s cannot be kept: it is a symbol')
      expect(() => Reflect.set(session, Symbol('s'), 1)).toThrow('cannot name an attribute')
    })
  })

  it.each([['a string', 'x'], ['an array', []], ['an object', {}], ['undefined', undefined], ['a number', 1]])(
    'req.session set to %s: the request still answers (H11)',
    async (_, value) => {
      const { middleware } = mount()
      const browser = await serve(bare(middleware, (req) => void Reflect.set(req, 'session', value)))
      const answer = await browser.get()
      expect(answer.status).toBe(500)
      expect(answer.body).toContain('req.session cannot be replaced by')
    },
  )

  it('a deep value that cannot be kept fails the commit by its path, and nothing is saved (H12)', async () => {
    const mounted = mount()
    const { middleware } = mounted
    let bad = false
    const browser = await serve(
      bare(middleware, (req, res) => {
        if (bad) req.session.cart = { items: [1, { price: () => 2 }] }
        if (bad) req.session.n = 2
        else req.session.n ??= 1
        json(res, req.session)
      }),
    )
    await browser.get()
    bad = true

    const answer = await browser.get()

    expect(answer).toMatchObject({ status: 500, body: expect.stringContaining('session.cart.items[1].price') })
    bad = false
    expect((await browser.get()).body).toBe('{"n":1}')
    expect(mounted.counter('commit_failures_total')).toBe(1)
  })
})

describe('changes', () => {
  const saves = (mounted: ReturnType<typeof mount>): unknown =>
    mounted.backend.counters()['session_mesh_sessions_saved_total']

  it('are found inside objects that were read, however deep, and only there', async () => {
    const mounted = mount()
    await visit(
      mounted,
      ({ session }) => {
        session.cart = { items: [{ n: 1 }] }
        session.user = { name: 'ada', roles: [] }
      },
      ({ session }) => void session.cart?.items.push({ n: 2 }),
      ({ session }) => {
        const [first] = session.cart?.items ?? []
        Object.assign(first ?? {}, { n: 5 })
      },
      ({ session }) => expect(session.cart).toEqual({ items: [{ n: 5 }, { n: 2 }] }),
    )
    expect(saves(mounted)).toBe(2)
  })

  it('that leave everything as it was write nothing', async () => {
    const mounted = mount()
    await visit(
      mounted,
      ({ session }) => {
        session.cart = { items: [1] }
        session.n = 1
      },
      ({ session }) => {
        session.n = 1
        session.cart = { items: [1] }
        delete session['absent']
        session['also absent'] = undefined
      },
      ({ session }) => {
        session.cart?.items.push(2)
        session.cart?.items.pop()
      },
    )
    expect(saves(mounted)).toBe(0)
  })

  it('are not seen in place when detectMutations is off', async () => {
    const mounted = mount({ detectMutations: false })
    await visit(
      mounted,
      ({ session }) => void (session.cart = { items: [1] }),
      ({ session }) => void session.cart?.items.push(2),
      ({ session }) => expect(session.cart).toEqual({ items: [1] }),
    )
  })

  it('are not made up from bytes that another encoder wrote', async () => {
    const mounted = mount()
    let id = ''
    const client = await visit(
      mounted,
      ({ session }) => void (session.n = 1),
      ({ session }) => void (id = session.id ?? ''),
    )
    const found = await mounted.backend.load(id, undefined, { deadline: 0 })
    if (found.state !== 'found') throw new Error('not found')
    // {"a": 1} with 1 as a float64, and n as a wide integer: the same values in other bytes.
    const cart = Buffer.from('81a161cb3ff0000000000000', 'hex')
    expect(Buffer.compare(cart, encodeValue({ a: 1 }, 'cart'))).not.toBe(0)
    await mounted.backend.save(found.ref, { writes: [{ name: 'cart', kind: 0, value: cart }] }, {})
    const before = saves(mounted)

    const reader = await serve(bare(mounted.middleware, ({ session }, res) => json(res, session)))
    const answer = await reader.get('/', { cookie: `sid=${client.jar.get('sid')}` })

    expect(answer.body).toBe('{"n":1,"cart":{"a":1}}')
    expect(saves(mounted)).toBe(before)
  })

  it('of values that do not decode are not seen: they read as undefined and are counted', async () => {
    const mounted = mount()
    let id = ''
    const client = await visit(
      mounted,
      ({ session }) => void (session.n = 1),
      ({ session }) => void (id = session.id ?? ''),
    )
    const found = await mounted.backend.load(id, undefined, { deadline: 0 })
    if (found.state !== 'found') throw new Error('not found')
    await mounted.backend.save(found.ref, { writes: [{ name: 'bad', kind: 0, value: Buffer.from('c1', 'hex') }] }, {})

    const reader = await serve(bare(mounted.middleware, ({ session }, res) => json(res, [session['bad'] ?? null, session.n])))
    const answer = await reader.get('/', { cookie: `sid=${client.jar.get('sid')}` })

    expect(answer).toMatchObject({ status: 200, body: '[null,1]' })
    expect(mounted.counter('values_undecodable_total')).toBe(1)
  })

  it('survive with every kind of value, and -0 comes back as 0 (H12)', async () => {
    const kept = {
      big: 2n ** 70n,
      never: new Date(NaN),
      zero: -0,
      half: '\ud800',
      map: new Map<unknown, unknown>([[1, new Set(['a'])]]),
      bytes: Buffer.from([1, 2]),
      nothing: undefined,
    }
    await visit(
      mount(),
      ({ session }) => void Object.assign(session, kept),
      ({ session }) => {
        const { nothing: _, ...rest } = kept
        expect(session.toObject()).toStrictEqual({ ...rest, zero: 0 })
      },
    )
  })

  it('made after a commit are committed again', async () => {
    const mounted = mount()
    await visit(
      mounted,
      async ({ session }) => {
        session.n = 1
        session.cart = { items: [1] }
        expect(session.id).toBeUndefined()
        expect(session.isNew).toBe(true)
        expect(await session.commit()).toBe('done')
        expect(session.id).toMatch(/^[\w-]{48}$/)
        session.n = 2
        session.cart?.items.push(2)
      },
      ({ session }) => {
        expect(session.toObject()).toEqual({ n: 2, cart: { items: [1, 2] } })
        expect(session.isNew).toBe(false)
      },
    )
    expect(saves(mounted)).toBe(1)
  })
})

describe.each([
  ['a backend in process', (memory: Parameters<typeof remote>[0]) => memory],
  ['a backend that answers later', remote],
])('with %s,', (_, wrap) => {
  it('rotate keeps the data under a new id, and makes a session where there is none', async () => {
    const mounted = mount({}, wrap)
    let first: string | undefined
    await visit(
      mounted,
      async ({ session }) => {
        expect(await session.rotate()).toBe('done')
        first = session.id
        expect(first).toBeDefined()
      },
      async ({ session }) => {
        session.n = 1
        await session.rotate()
        expect(session.id).not.toBe(first)
        session.user = 'ada'
      },
      ({ session }) => expect(session.toObject()).toEqual({ n: 1, user: 'ada' }),
    )
    expect(mounted.backend.size().sessions).toBe(1)
  })

  it('regenerate starts empty under a new id, ends the old one, and keeps even an empty one', async () => {
    const mounted = mount({}, wrap)
    await visit(
      mounted,
      ({ session }) => void (session.n = 1),
      async (req) => {
        const old = req.session
        await old.regenerate()
        expect(req.session).not.toBe(old)
        expect(req.session.toObject()).toEqual({})
        expect(old.n).toBe(1)
        expect(() => (old.n = 2)).toThrow(SessionGoneError)
      },
      ({ session }) => {
        expect(session.isNew).toBe(false)
        expect(session.toObject()).toEqual({})
      },
    )
    expect(mounted.backend.size().sessions).toBe(1)
  })

  it('destroy is final: reading is empty, writing throws, again is harmless, regenerate starts anew (H16)', async () => {
    const mounted = mount({}, wrap)
    await visit(
      mounted,
      ({ session }) => void (session.n = 1),
      async (req) => {
        const { session } = req
        expect(await session.destroy()).toBe('done')
        expect(await session.destroy()).toBe('gone')
        expect(session.toObject()).toEqual({})
        expect(() => (session.n = 2)).toThrow(SessionGoneError)
        expect(() => (session.ttl = 5_000)).toThrow(SessionGoneError)
        await expect(session.rotate()).rejects.toThrow(SessionGoneError)
        await expect(session.reload()).rejects.toThrow(SessionGoneError)
        await session.touch()
        expect(mounted.backend.size().sessions).toBe(0)
        await session.regenerate()
        req.session.n = 3
      },
      ({ session }) => expect(session.n).toBe(3),
    )
    expect(mounted.backend.size().sessions).toBe(1)
  })

  it('req.session = null destroys and reads as null', async () => {
    const mounted = mount({}, wrap)
    const client = await visit(
      mounted,
      ({ session }) => void (session.n = 1),
      (req) => {
        req.session = null
        req.session = null
        expect(req.session).toBeNull()
      },
    )
    expect(mounted.backend.size().sessions).toBe(0)
    expect(client.jar.size).toBe(0)
  })

  it('callbacks are called, with the error where there is one', async () => {
    await visit(
      mount({}, wrap),
      async (req) => {
        req.session.n = 1
        const called = async (method: 'save' | 'touch' | 'reload' | 'regenerate' | 'destroy' | 'rotate'): Promise<unknown> =>
          await new Promise((resolve) => req.session[method]((error) => resolve(error)))
        expect(await called('save')).toBeUndefined()
        expect(await called('touch')).toBeUndefined()
        req.session.n = 2
        expect(await called('reload')).toBeUndefined()
        expect(req.session.n).toBe(1)
        expect(await called('rotate')).toBeUndefined()
        expect(await called('regenerate')).toBeUndefined()
        expect(await called('destroy')).toBeUndefined()
        expect(await called('reload')).toBeInstanceOf(SessionGoneError)
      },
    )
  })

  it('ttl can be set per session, before it exists and later', async () => {
    const mounted = mount({ ttl: 60_000 }, wrap)
    const client = await visit(
      mounted,
      ({ session }) => {
        expect(session.ttl).toBe(60_000)
        session.ttl = 120_000
        session.n = 1
      },
      ({ session }) => {
        expect(session.ttl).toBe(120_000)
        session.ttl = 240_000
        for (const ttl of [0, -1, NaN]) expect(() => (session.ttl = ttl)).toThrow('not a positive number')
        expect(() => Reflect.set(session, 'ttl', '30m')).toThrow(TypeError)
      },
      ({ session }) => {
        expect(session.ttl).toBe(240_000)
        session.ttl = Infinity
      },
    )
    mounted.clock.time += 365 * 24 * 3_600_000
    const reader = await serve(bare(mounted.middleware, ({ session }, res) => json(res, session.n)))
    expect((await reader.get('/', { cookie: `sid=${client.jar.get('sid')}` })).body).toBe('1')
  })

  it('setPrincipal says whose the session is, with a new id only where that changes', async () => {
    const mounted = mount({}, wrap)
    const ids = new Set<string | undefined>()
    await visit(
      mounted,
      async ({ session }) => {
        await session.setPrincipal('ada')
        ids.add(session.id)
      },
      async ({ session }) => {
        await session.setPrincipal('ada')
        ids.add(session.id)
      },
      async ({ session }) => {
        await session.setPrincipal('bob')
        ids.add(session.id)
        for (const bad of ['', 'a\nb', 5]) await expect(session.setPrincipal(bad as string)).rejects.toThrow(TypeError)
      },
    )
    expect(ids.size).toBe(2)
    expect(await mounted.backend.find('ada')).toHaveLength(0)
    expect(await mounted.backend.find('bob')).toHaveLength(1)
  })

  it('Passport 0.7 logs in and out as it does with express-session', async () => {
    // The calls of passport 0.7 (lib/sessionmanager.js), in its order, with keepSessionInfo.
    const logIn = (req: { session: unknown }, user: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const session = (): Record<string, unknown> & Record<'regenerate' | 'save', (done: (e?: unknown) => void) => void> =>
          req.session as never
        const previous = session()
        previous.regenerate((error) => {
          if (error !== undefined) return reject(error)
          for (const key in previous) session()[key] = previous[key]
          session()['passport'] ??= {}
          Object.assign(session()['passport'] as object, { user })
          return session().save((failed) => (failed === undefined ? resolve() : reject(failed)))
        })
      })
    const mounted = mount({}, wrap)
    await visit(
      mounted,
      ({ session }) => void (session.cart = { items: ['book'] }),
      (req) => logIn(req, 'ada'),
      async (req) => {
        expect(req.session.toObject()).toEqual({ cart: { items: ['book'] }, passport: { user: 'ada' } })
        Reflect.deleteProperty(req.session['passport'] as object, 'user')
        await new Promise((resolve) => req.session.save(resolve))
        await new Promise((resolve) => req.session.regenerate(resolve))
      },
      ({ session }) => expect(session.toObject()).toEqual({}),
    )
    expect(mounted.backend.size().sessions).toBe(1)
  })
})

describe('a session that ended while a request ran', () => {
  const scene = async (onGone: 'ignore' | 'throw' | 'restart'): Promise<{ answer: string; mounted: ReturnType<typeof mount> }> => {
    const mounted = mount({ onGone })
    const latch = new Latch()
    const browser = await serve(
      bare(mounted.middleware, async (req, res) => {
        if (req.url === '/logout') await req.session.destroy()
        else if (req.url === '/slow') {
          await latch.wait()
          req.session.n = 7
        } else if (req.url === '/set') req.session.user = 'ada'
        json(res, req.session)
      }),
    )
    await browser.get('/set')
    const slow = browser.get('/slow')
    await until(() => expect(latch.waiting).toBe(1))
    await browser.get('/logout')
    latch.open()
    const { status, body, setCookie } = await slow
    return { answer: `${status} ${body} ${setCookie.length}`, mounted }
  }

  it('stays ended: what the request wrote is dropped and counted (ignore, the default)', async () => {
    const { answer, mounted } = await scene('ignore')
    expect(answer).toBe('200 {"user":"ada","n":7} 0')
    expect(mounted.backend.size().sessions).toBe(0)
    expect(mounted.counter('commits_gone_total')).toBe(1)
  })

  it('stays ended, and the request fails (throw)', async () => {
    const { answer, mounted } = await scene('throw')
    expect(answer).toContain('500 error: the session ended while this request ran')
    expect(mounted.backend.size().sessions).toBe(0)
  })

  it('stays ended, and what the request wrote, nothing older, starts another one (restart)', async () => {
    const { answer, mounted } = await scene('restart')
    expect(answer).toMatch(/^200 .* 1$/)
    expect(mounted.backend.size().sessions).toBe(1)
    for await (const { registers } of mounted.backend.exportAll()) {
      expect(registers.filter(({ name }) => !name.startsWith('\u0000')).map(({ name }) => name)).toEqual(['n'])
    }
  })
})

it('a restarted session shows what it holds, not what the one before it held', async () => {
  const mounted = mount({ onGone: 'restart' })
  await visit(
    mounted,
    ({ session }) => void Object.assign(session, { user: 'ada', n: 1 }),
    async ({ session }) => {
      session.n = 2
      for await (const { birth } of mounted.backend.exportAll()) await mounted.backend.destroy(birth, 'destroyed', {})
      expect(await session.commit()).toBe('done')
      expect(session.toObject()).toEqual({ n: 2 })
    },
  )
})

it.each([['merge', '{"user":"ada","n":1}'], ['drop', '{"user":"ada"}']] as const)(
  'writes of requests that ran while the id was replaced: %s',
  async (lateWrites, expected) => {
    const mounted = mount({ lateWrites })
    const latch = new Latch()
    const browser = await serve(
      bare(mounted.middleware, async (req, res) => {
        if (req.url === '/login') {
          req.session.user = 'ada'
          await req.session.rotate()
        } else if (req.url === '/slow') {
          await latch.wait()
          req.session.n = 1
        }
        json(res, req.session)
      }),
    )
    await browser.get('/login')
    const slow = browser.get('/slow')
    await until(() => expect(latch.waiting).toBe(1))
    await browser.get('/login')
    latch.open()
    expect((await slow).setCookie).toEqual([])
    expect((await browser.get('/')).body).toBe(expected)
  },
)

it('operations of one request happen one after the other, and the response waits for them', async () => {
  const latch = new Latch()
  const mounted = mount({}, (memory) => held(memory, ['create', 'save', 'destroy'], latch))
  const browser = await serve(
    bare(mounted.middleware, (req, res) => {
      req.session.n = 1
      req.session.save(() => {})
      req.session.n = 2
      req.session.save(() => {})
      req.session.n = 3
      json(res, 'ok')
    }),
  )
  const answer = browser.get()
  for (let i = 0; i < 2; i++) {
    await until(() => expect(latch.waiting).toBe(1))
    latch.passOne()
  }
  expect((await answer).setCookie).toHaveLength(1)
  expect(mounted.backend.counters()).toMatchObject({ session_mesh_sessions_created_total: 1, session_mesh_sessions_saved_total: 1 })
})
