import { describe, expect, it } from 'vitest'
import type { CommitOptions, LoadResult, SessionBackend } from '../../src/backend/backend.js'
import { BackendError } from '../../src/errors.js'
import { loadSession } from '../../src/http/middleware.js'
import { bare, frameworks, json, loadTestSession, mount, remote, routes, serve, type Handler, type Mounted } from './support.js'

const shop: Handler = routes({
  '/': (_, res) => json(res, { ok: true }),
  '/set': (req, res) => {
    req.session.user = 'ada'
    res.end('set')
  },
  '/n': (req, res) => {
    req.session.n = (req.session.n ?? 0) + 1
    json(res, req.session.n)
  },
  '/get': (req, res) => json(res, req.session),
  '/login': async (req, res) => {
    req.session.user = 'ada'
    await req.session.rotate()
    json(res, { id: req.session.id })
  },
  '/logout': async (req, res) => {
    await req.session.destroy()
    res.end('bye')
  },
  '/null': (req, res) => {
    req.session = null
    json(res, req.session)
  },
})

describe.each(frameworks)('on %s', (_, framework) => {
  it.each([
    ['a backend in process', (backend: SessionBackend) => backend],
    ['a backend that answers later', remote],
  ])('a browser is remembered, logged in and logged out, with %s', async (_name, wrap) => {
    const { middleware, backend } = mount({}, wrap)
    const browser = await serve(framework(middleware, shop))

    const first = await browser.get('/n')
    expect(first.body).toBe('1')
    expect(first.setCookie).toHaveLength(1)
    const before = browser.jar.get('sid')
    expect((await browser.get('/n')).body).toBe('2')
    expect((await browser.get('/n')).setCookie).toEqual([])

    const login = await browser.get('/login')
    expect(login.setCookie).toHaveLength(1)
    expect(JSON.parse(login.body)).toEqual({ id: browser.jar.get('sid') })
    expect(browser.jar.get('sid')).not.toBe(before)
    expect(JSON.parse((await browser.get('/get')).body)).toEqual({ n: 3, user: 'ada' })
    expect((await browser.get('/get', { cookie: `sid=${before}` })).body).toBe('{}')

    const logout = await browser.get('/logout')
    expect(logout.setCookie).toEqual([expect.stringMatching(/^sid=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/)])
    expect((await browser.get('/get')).body).toBe('{}')
    expect(backend.size().sessions).toBe(0)
  })

  it('an error of the backend goes to the error handler', async () => {
    const { middleware } = mount({}, (memory) => {
      memory.create = () => {
        throw new BackendError('the disk is on fire')
      }
      return memory
    })
    const browser = await serve(framework(middleware, shop))

    const answer = await browser.get('/set')

    expect(answer).toMatchObject({ status: 503, body: 'error: the disk is on fire', setCookie: [] })
    expect(answer.headers['retry-after']).toBe('1')
    expect(await browser.get('/')).toMatchObject({ status: 200 })
  })
})

describe('a session is made', () => {
  it('by nothing but writing to it: 1,000 anonymous requests leave no session and no cookie (H1)', async () => {
    const { middleware, backend } = mount()
    const browser = await serve(bare(middleware, shop))

    for (let i = 0; i < 1_000; i++) {
      const { setCookie, headers } = await browser.get(i % 2 === 0 ? '/' : '/get')
      expect(setCookie).toEqual([])
      expect(headers['cache-control']).toBeUndefined()
    }

    expect(backend.size().sessions).toBe(0)
    expect(backend.counters()).toMatchObject({ session_mesh_loads_total: 0 })
  })

  it('with a new id, never with the one the browser brought (H2, T10)', async () => {
    const { middleware, backend } = mount()
    const browser = await serve(bare(middleware, shop))
    const strangers = ['A'.repeat(48), (await browser.get('/set')).setCookie[0]?.slice(4, 52).split('').toReversed().join('')]

    for (const id of strangers) {
      const answer = await browser.get('/set', { cookie: `sid=${id}` })
      expect(answer.setCookie).toHaveLength(1)
      expect(answer.setCookie[0]).not.toContain(id)
    }
    expect(backend.size().sessions).toBe(3)
  })

  it.each([
    ['empty', 'sid='],
    ['a foreign prefix (H3)', 'sid=s:'],
    ['cut off (H3)', `sid=${'A'.repeat(47)}`],
    ['bad percent-encoding (H4)', 'sid=%E0%A4%A'],
    ['quotes (H4)', `sid="${'A'.repeat(48)}"`],
    ['spaces (H4)', `sid= ${'A'.repeat(48)} `],
    ['not ASCII (H4)', `sid=${'\u00e4'.repeat(48)}`],
    ['4,097 bytes (H5)', `sid=${'A'.repeat(4_097)}`],
    ['8 KB (H5)', `sid=${'A'.repeat(8_000)}`],
    ['a name of JavaScript (H9)', 'sid=__proto__; sid=constructor; sid=hasOwnProperty'],
    ['nothing but a name', 'sid'],
  ])('and an id that is none counts as no id: %s', async (_, cookie) => {
    const { middleware, backend } = mount()
    const browser = await serve(bare(middleware, shop))

    const read = await browser.get('/get', { cookie })

    expect(read).toMatchObject({ status: 200, body: '{}', setCookie: [] })
    expect(backend.counters()).toMatchObject({ session_mesh_loads_total: 0 })
    expect((await browser.get('/set', { cookie })).setCookie).toHaveLength(1)
  })

  it('and headers beyond 16 KB never reach it (H6)', async () => {
    const { middleware, backend } = mount()
    const browser = await serve(bare(middleware, shop))
    expect((await browser.get('/set', { cookie: `sid=${'A'.repeat(17_000)}` })).status).toBe(431)
    expect(backend.size().sessions).toBe(0)
  })

  it('and with two and twenty cookies of its name, the first of four that is alive counts (H7)', async () => {
    const { middleware, backend } = mount()
    const browser = await serve(bare(middleware, shop))
    await browser.get('/set')
    const own = browser.jar.get('sid') ?? ''
    const stale = Array.from({ length: 20 }, (_, i) => `sid=${String.fromCharCode(65 + i).repeat(48)}`)

    const bodyWith = async (...cookies: string[]): Promise<string> =>
      (await browser.get('/get', { cookie: cookies.join('; ') })).body
    expect(await bodyWith(stale[0] ?? '', `sid=${own}`)).toBe('{"user":"ada"}')
    expect(await bodyWith(...stale.slice(0, 3), `sid=${own}`)).toBe('{"user":"ada"}')
    expect(await bodyWith('sid=junk', 'sid=', ...stale.slice(0, 3), `sid=${own}`)).toBe('{"user":"ada"}')
    const before = backend.counters()['session_mesh_loads_total'] ?? 0
    expect(await bodyWith(...stale, `sid=${own}`)).toBe('{}')
    expect(backend.counters()['session_mesh_loads_total']).toBe(before + 4)
  })

  it('and an id in the query or in another header is not looked at (H10)', async () => {
    const { middleware } = mount()
    const browser = await serve(bare(middleware, shop))
    await browser.get('/set')
    const id = browser.jar.get('sid') ?? ''
    const headers = { 'x-auth-token': id, authorization: `Bearer ${id}`, sid: id }
    expect((await browser.get(`/get?sid=${id}`, { cookie: undefined, headers })).body).toBe('{}')
  })
})

describe('an id that was replaced', () => {
  async function loggedIn(): Promise<{ mounted: Mounted; browser: Awaited<ReturnType<typeof serve>>; old: string }> {
    const mounted = mount()
    const browser = await serve(bare(mounted.middleware, shop))
    await browser.get('/set')
    const old = `sid=${browser.jar.get('sid')}`
    await browser.get('/login')
    return { mounted, browser, old }
  }

  it('finds nothing; what its requests write is dropped, and no cookie replaces the new one', async () => {
    const { mounted, browser, old } = await loggedIn()

    const answer = await browser.get('/set', { cookie: old })
    await browser.get('/set', { cookie: old })

    expect(answer).toMatchObject({ status: 200, setCookie: [] })
    expect(mounted.backend.size().sessions).toBe(1)
    expect(mounted.counter('writes_dropped_total{why="rotated"}')).toBe(2)
    expect(mounted.warnings.map(({ event }) => event)).toEqual(['session-writes-dropped-rotated'])
    expect((await browser.get('/get')).body).toBe('{"user":"ada"}')
  })

  it('still can log in: what asks for a new id by name gets one', async () => {
    const { browser, old } = await loggedIn()
    const again = await browser.get('/login', { cookie: old })
    expect(again.setCookie).toHaveLength(1)
    expect((await browser.get('/get')).body).toBe('{"user":"ada"}')
  })

  it('is like any unknown id after the grace time', async () => {
    const { mounted, browser, old } = await loggedIn()
    mounted.clock.time += 31_000
    expect((await browser.get('/set', { cookie: old })).setCookie).toHaveLength(1)
  })
})

describe('a node that cannot tell', () => {
  it('answers 503 with Retry-After instead of an anonymous page', async () => {
    const behind: LoadResult = { state: 'behind', retryAfterMs: 2_400 }
    const { middleware, counter } = mount({}, (memory) => Object.assign(memory, { load: () => behind }))
    const browser = await serve(bare(middleware, shop))

    const answer = await browser.get('/', { cookie: `sid=${'A'.repeat(48)}` })

    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('3')
    expect(counter('not_ready_total')).toBe(1)
    expect((await browser.get('/', { cookie: undefined })).status).toBe(200)
  })

  it('is answered for where next takes no error', async () => {
    const { middleware } = mount({}, (memory) =>
      Object.assign(memory, { load: () => Promise.reject(new BackendError('nobody home')) }),
    )
    let runs = 0
    const browser = await serve((req, res) =>
      middleware(req, res, () => {
        runs++
        res.end('ran')
      }),
    )
    const answer = await browser.get('/', { cookie: `sid=${'A'.repeat(48)}` })
    expect(answer).toMatchObject({ status: 503, body: 'Service Unavailable\n' })
    expect(runs).toBe(0)
  })

  it('during shutdown too: served until the backend closes, then 503 (H20)', async () => {
    const { middleware, backend } = mount()
    const browser = await serve(bare(middleware, shop))
    await browser.get('/set')
    await backend.close()
    expect((await browser.get('/get')).status).toBe(503)
    expect((await browser.get('/')).status).toBe(503)
  })
})

describe('accesses', () => {
  it('are noted at most once per touchAfter, and keep the session alive', async () => {
    const { middleware, clock, counter } = mount({ ttl: 600_000 })
    const browser = await serve(bare(middleware, shop))
    await browser.get('/set')
    expect(counter('touches_total')).toBe(0)

    for (let i = 0; i < 10; i++) {
      clock.time += 3_000
      await browser.get('/get')
    }
    expect(counter('touches_total')).toBe(1)

    for (let i = 0; i < 10; i++) {
      clock.time += 500_000
      expect((await browser.get('/')).status).toBe(200)
    }
    expect((await browser.get('/get')).body).toBe('{"user":"ada"}')
  })

  it('are all noted when touchAfter is 0, and a save counts as one', async () => {
    const { middleware, counter } = mount({ touchAfter: 0 })
    const browser = await serve(bare(middleware, shop))
    await browser.get('/n')
    await browser.get('/n')
    expect(counter('touches_total')).toBe(0)
    for (let i = 0; i < 5; i++) await browser.get('/get')
    expect(counter('touches_total')).toBe(5)
  })

  it('send the cookie again when rolling, and only to browsers with a session', async () => {
    const { middleware } = mount({ rolling: true, cookie: { maxAge: 60_000 } })
    const browser = await serve(bare(middleware, shop))
    expect((await browser.get('/')).setCookie).toEqual([])
    await browser.get('/set')
    const { setCookie } = await browser.get('/')
    expect(setCookie).toEqual([expect.stringContaining(`sid=${browser.jar.get('sid')}; Max-Age=60`)])
  })
})

describe('loading on demand', () => {
  const handler = routes({
    '/static': (_, res) => void res.end('static'),
    '/early': (req, res) => json(res, req.session),
    '/late': async (req, res) => {
      const session = await loadTestSession(req)
      session.n = (session.n ?? 0) + 1
      json(res, [session.n, session === req.session])
    },
  })

  it('costs a static route nothing, and refuses to guess', async () => {
    const { middleware, backend } = mount({ load: 'on-demand' })
    const browser = await serve(bare(middleware, handler))
    expect((await browser.get('/late')).body).toBe('[1,true]')
    const loads = backend.counters()['session_mesh_loads_total']

    expect((await browser.get('/static')).body).toBe('static')
    expect(await browser.get('/early')).toMatchObject({ status: 500, body: expect.stringContaining('loaded on demand') })

    expect(backend.counters()['session_mesh_loads_total']).toBe(loads)
    expect((await browser.get('/late')).body).toBe('[2,true]')
  })

  it('can be chosen per request', async () => {
    const { middleware, backend } = mount({ when: (req) => req.url !== '/static' })
    const browser = await serve(bare(middleware, handler))
    await browser.get('/late')
    await browser.get('/static')
    expect(backend.counters()).toMatchObject({ session_mesh_loads_total: 0 })
    expect((await browser.get('/early')).body).toBe('{"n":1}')
  })

  it('asks once however often it is asked, and tells who has no middleware', async () => {
    const { middleware, backend } = mount({ load: 'on-demand' }, remote)
    const browser = await serve(
      bare(middleware, async (req, res) => {
        const [a, b] = await Promise.all([loadTestSession(req), loadTestSession(req)])
        a.n = 1
        json(res, a === b)
      }),
    )
    await browser.get('/')
    expect((await browser.get('/')).body).toBe('true')
    expect(backend.counters()).toMatchObject({ session_mesh_loads_total: 1 })

    const without = await serve((req, res) => {
      loadSession(req).catch((error: Error) => res.end(error.message))
    })
    expect((await without.get('/')).body).toContain('app.use(cluster.sessions())')
  })
})

describe('mounting', () => {
  it('twice does it once, and says so once', async () => {
    const { middleware, warnings, counter } = mount()
    const browser = await serve(bare((req, res, next) => middleware(req, res, () => middleware(req, res, next)), shop))
    await browser.get('/n')
    expect((await browser.get('/n')).body).toBe('2')
    expect(counter('sessions_created_total')).toBe(1)
    expect(warnings.map(({ event }) => event)).toEqual(['session-middleware-mounted-twice'])
  })

  it('behind something that has answered serves what it can, and says so once', async () => {
    const { middleware, warnings, counter } = mount()
    const browser = await serve(bare(middleware, shop))
    await browser.get('/n')
    const late = await serve(
      bare(
        (req, res, next) => {
          res.flushHeaders()
          middleware(req, res, next)
        },
        (req, res) => {
          req.session.n = (req.session.n ?? 0) + 10
          res.end()
        },
      ),
    )
    const cookie = `sid=${browser.jar.get('sid')}`
    expect(await late.get('/', { cookie })).toMatchObject({ status: 200, setCookie: [] })
    expect(await late.get('/')).toMatchObject({ status: 200, setCookie: [] })
    expect((await browser.get('/n')).body).toBe('12')
    expect(counter('writes_dropped_total{why="headers-sent"}')).toBe(1)
    expect(warnings.map(({ event }) => event)).toEqual([
      'session-middleware-mounted-late',
      'session-writes-dropped-headers-sent',
    ])
  })
})

describe('limits', () => {
  it('of bytes and of attributes fail the request and change nothing (H13, T19)', async () => {
    const { middleware } = mount()
    const browser = await serve(
      bare(
        middleware,
        routes({
          '/big': (req, res) => {
            req.session['small'] = 1
            req.session['big'] = 'x'.repeat(65_536)
            res.end('never')
          },
          '/many': (req, res) => {
            for (let i = 0; i < 1_025; i++) req.session[`a${i}`] = i
            res.end('never')
          },
          '/fits': (req, res) => {
            for (let i = 0; i < 1_023; i++) req.session[`a${i}`] = i
            res.end('fits')
          },
          '/set': shop,
          '/get': shop,
        }),
      ),
    )
    await browser.get('/set')

    expect(await browser.get('/big')).toMatchObject({ status: 500, body: expect.stringContaining('at most 65536') })
    expect(await browser.get('/many')).toMatchObject({ status: 500, body: expect.stringContaining('at most 1024') })
    expect((await browser.get('/get')).body).toBe('{"user":"ada"}')
    expect((await browser.get('/fits')).body).toBe('fits')
  })
})

describe('stamps', () => {
  it('are carried by slot, set only when raised, and given to every call', async () => {
    const given: unknown[] = []
    const { middleware } = mount({}, (memory) => {
      const load = memory.load.bind(memory)
      const save = memory.save.bind(memory)
      return Object.assign(memory, {
        load: (id: string, seen: unknown) => {
          given.push(seen)
          return load(id)
        },
        save: (ref: never, delta: never, options: CommitOptions) => {
          given.push(options.seen)
          return { ...save(ref, delta), seen: new Map([['2', 'token-2']]) }
        },
      })
    })
    const browser = await serve(bare(middleware, shop))
    await browser.get('/n')

    const saved = await browser.get('/n')
    expect(saved.setCookie).toEqual(['sid.v2=token-2; Max-Age=600; Path=/; HttpOnly; SameSite=Lax'])
    expect(saved.headers['cache-control']).toBe('no-store')
    await browser.get('/n')
    expect((await browser.get('/get')).setCookie).toEqual([])

    expect(given.slice(0, 2)).toEqual([undefined, undefined])
    expect(given.slice(2)).toEqual(Array.from({ length: 3 }, () => new Map([['2', 'token-2']])))
  })
})
