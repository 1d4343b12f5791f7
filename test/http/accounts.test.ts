import express from 'express'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { SessionBackend } from '../../src/backend/backend.js'
import { resolveSession } from '../../src/config/config.js'
import { ConfigError } from '../../src/errors.js'
import { isAccountsChoice } from '../../src/http/carriers/carrier-options.js'
import { aliasIn, urlNaming } from '../../src/http/carriers/alias-place.js'
import { resolveSessionOptions, type SessionOptions } from '../../src/http/options.js'
import { SocketBinder } from '../../src/http/sockets/socket-binder.js'
import { silent } from '../../src/log.js'
import { bare, json, mount, remote, routes, serve, type Answer, type Client } from './support.js'

const shop = routes({
  '/login': async (req, res) => {
    req.session.user = new URL(req.url ?? '', 'http://x').searchParams.get('as') ?? 'nobody'
    await req.session.rotate()
    res.end()
  },
  '/set': (req, res) => {
    req.session.n = (req.session.n ?? 0) + 1
    res.end()
  },
  '/me': (req, res) => json(res, { user: req.session.user, ...req.session.aliases() }),
  '/out': async (req, res) => {
    await req.session.destroy()
    json(res, req.session.aliases())
  },
  '/url': (req, res) => void res.end(req.session.urlFor('2')),
})

async function open(options: SessionOptions = {}, wrap?: (backend: SessionBackend) => SessionBackend): Promise<Client> {
  return await serve(bare(mount({ accounts: true, ...options }, wrap).middleware, shop))
}

const me = async (browser: Client, alias: string): Promise<unknown> => JSON.parse((await browser.get(`/me?_s=${alias}`)).body)
const held = (browser: Client): readonly string[] => [...(browser.jar.get('sid') ?? '').matchAll(/(?:^|~)([\w-]+)\./g)].map(([, alias = '']) => alias)

describe.each([
  ['in process', undefined],
  ['on another machine', remote],
])('two tabs of one browser, with a backend %s', (_, wrap) => {
  it('are two users; one logs out, the other stays', async () => {
    const browser = await open({}, wrap)
    await browser.get('/login?as=rob')
    await browser.get('/login?as=luke&_s=1')
    expect(await me(browser, '0')).toEqual({ user: 'rob', current: '0', all: ['0', '1'], next: '2' })
    expect(await me(browser, '1')).toEqual({ user: 'luke', current: '1', all: ['0', '1'], next: '2' })
    expect(await me(browser, '2')).toEqual({ current: '2', all: ['0', '1'], next: '3' })

    const out = await browser.get('/out?_s=1')
    expect(JSON.parse(out.body)).toEqual({ current: '1', all: ['0'], next: '2' })
    expect(await me(browser, '1')).toEqual({ current: '1', all: ['0'], next: '2' })
    expect(await me(browser, '0')).toMatchObject({ user: 'rob', all: ['0'] })
  })

  it('keep their aliases through rotations', async () => {
    const browser = await open({}, wrap)
    await browser.get('/login?as=rob')
    await browser.get('/login?as=luke&_s=work')
    const before = browser.jar.get('sid')
    await browser.get('/login?as=luke2&_s=work')
    expect(browser.jar.get('sid')?.split('~')[0]).toBe(before?.split('~')[0])
    expect(browser.jar.get('sid')).not.toBe(before)
    expect(await me(browser, 'work')).toMatchObject({ user: 'luke2', all: ['0', 'work'] })
    expect(await me(browser, '0')).toMatchObject({ user: 'rob' })
  })

  it('the last one that logs out takes the cookie along', async () => {
    const browser = await open({}, wrap)
    await browser.get('/login?as=rob&_s=1')
    const out = await browser.get('/out?_s=1')
    expect(out.setCookie).toEqual([expect.stringMatching(/^sid=; Max-Age=0/)])
  })

  it('what has ended elsewhere leaves the cookie when that is written next, and not before', async () => {
    const browser = await open({}, wrap)
    const other = browser.other()
    for (const alias of ['0', '1', '2']) await browser.get(`/login?as=u&_s=${alias}`)
    await other.get('/out?_s=1', { cookie: `sid=${browser.jar.get('sid')}` })
    expect((await browser.get('/set?_s=0')).setCookie).toEqual([])
    expect(held(browser)).toEqual(['0', '1', '2'])
    await browser.get('/login?as=v&_s=2')
    expect(held(browser)).toEqual(['0', '2'])
  })
})

describe('the cookie of several sessions', () => {
  it('needs no escaping, and is the bare id as long as there is only the default one', async () => {
    const browser = await open()
    await browser.get('/login?as=rob')
    expect(browser.jar.get('sid')).toMatch(/^[\w-]{48}$/)
    await browser.get('/login?as=luke&_s=1')
    expect(browser.jar.get('sid')).toMatch(/^0\.[\w-]{48}~1\.[\w-]{48}$/)
    await browser.get('/out?_s=0')
    expect(browser.jar.get('sid')).toMatch(/^1\.[\w-]{48}$/)
  })

  it('holds twenty; one more is refused without making a session, and fits when one has ended', async () => {
    const mounted = mount({ accounts: true })
    const browser = await serve(bare(mounted.middleware, shop))
    const long = (n: number): string => String(n).padStart(50, 'x')
    for (let n = 0; n < 20; n++) await browser.get(`/set?_s=${long(n)}`)
    expect(held(browser)).toHaveLength(20)
    expect(`sid=${browser.jar.get('sid')}`.length).toBeLessThanOrEqual(4_096)

    const refused = await browser.get('/set?_s=more')
    expect(refused).toMatchObject({ status: 409, body: expect.stringContaining('20 sessions already'), setCookie: [] })
    expect(mounted.backend.size().sessions).toBe(20)
    await browser.get(`/set?_s=${long(3)}`)
    await browser.get(`/login?as=again&_s=${long(4)}`)
    await browser.other().get(`/out?_s=${long(7)}`, { cookie: `sid=${browser.jar.get('sid')}` })
    expect((await browser.get('/set?_s=more')).status).toBe(200)
    expect(held(browser)).toHaveLength(20)
  })

  it('keeps what a node cannot tell of', async () => {
    let isBehind = false
    const browser = await open({}, (backend) => {
      const load = backend.load.bind(backend)
      const behind = (): never => ({ state: 'behind', retryAfterMs: 1 }) as never
      const byId: string[] = []
      return Object.assign(backend, {
        load: (...args: Parameters<typeof load>) => {
          if (!byId.includes(args[0])) byId.push(args[0])
          return isBehind && byId.indexOf(args[0]) === 0 ? behind() : load(...args)
        },
      })
    })
    await browser.get('/set?_s=0')
    await browser.get('/set?_s=0')
    isBehind = true
    await browser.get('/set?_s=1')
    expect(held(browser)).toEqual(['0', '1'])
  })

  it.each([
    ['nonsense', 'a.b~c'],
    ['ids without aliases', `${'A'.repeat(48)}~${'B'.repeat(48)}`],
    ['aliases that are none', `a b.${'A'.repeat(48)}~__proto__.x`],
    ['a thousand pairs', Array.from({ length: 80 }, (_, n) => `${n}.${'A'.repeat(48)}`).join('~')],
  ])('of %s is an empty one', async (_, cookie) => {
    const browser = await open()
    const answer = await browser.get('/set', { cookie: `sid=${cookie}` })
    expect(answer.status).toBe(200)
    expect(browser.jar.get('sid')).toMatch(/^[\w-]{48}$/)
  })
})

describe('an alias', () => {
  it('that is no alias is the default one', () => {
    for (const url of ['/', '/?_s=', '/?_s=a.b', `/?_s=${'x'.repeat(51)}`, '/?x_s=1', '/?_s=%31', '/?a=1#?_s=1']) {
      expect(aliasIn({ headers: {}, url }, { in: 'query', name: '_s' }), url).toBe('0')
    }
    expect(aliasIn({ headers: {}, url: '/?a&_s=b-c_1&_s=2' }, { in: 'query', name: '_s' })).toBe('b-c_1')
  })

  it('comes from a header or from the path where that is chosen', async () => {
    const head = { headers: { 'x-account': '7' }, url: '/u/3/inbox?_s=9' }
    expect(aliasIn(head, { in: 'header', name: 'X-Account' })).toBe('7')
    expect(aliasIn(head, { in: 'path', name: '/u' })).toBe('3')
    expect(aliasIn({ headers: {}, url: '/user/3' }, { in: 'path', name: '/u' })).toBe('0')

    const browser = await serve(bare(mount({ accounts: { header: 'X-Account' } }).middleware, shop))
    const as = async (alias: string): Promise<Answer> => await browser.get('/set', { headers: { 'x-account': alias } })
    await as('1')
    await as('2')
    expect(held(browser)).toEqual(['1', '2'])
  })

  it('in the path is found below a router, which shortens it', async () => {
    const app = express()
    const below = express.Router().use(mount({ accounts: { path: '/u' } }).middleware)
    below.get('/n', (req, res) => res.send(`${req.session.aliases().current} ${req.session.urlFor('7')}`))
    const browser = await serve(app.use('/u/:alias', below))
    expect((await browser.get('/u/3/n?x=1')).body).toBe('3 /u/7/n?x=1')
  })

  it.each([
    ['/a', '1', '/a?_s=1'],
    ['/a?x=1&_s=4&y#z', '1', '/a?x=1&y&_s=1#z'],
    ['/a?_s=4', '0', '/a'],
    ['https://h/a?b#?c', 'w', 'https://h/a?b&_s=w#?c'],
    ['', '1', '?_s=1'],
  ])('in the address %j: urlFor(%j) is %s', (url, alias, expected) => {
    expect(urlNaming(alias, url, { in: 'query', name: '_s' })).toBe(expected)
  })

  it.each([
    ['/a', '1', '/u/1/a'],
    ['/u/2/a?b', '1', '/u/1/a?b'],
    ['/u/2', '0', '/'],
    ['/u/2?x', '0', '/?x'],
    ['https://h/u/2/a', '1', 'https://h/u/1/a'],
    ['https://h', '1', 'https://h/u/1'],
  ])('in the path %j: urlFor(%j) is %s', (url, alias, expected) => {
    expect(urlNaming(alias, url, { in: 'path', name: '/u' })).toBe(expected)
  })

  it('of another session makes an address out of that of the request; no address of what is no alias', async () => {
    const browser = await open()
    expect((await browser.get('/url?a=1&_s=1')).body).toBe('/url?a=1&_s=2')
    expect(() => urlNaming('a b', '/', { in: 'query', name: '_s' })).toThrow('an alias is')
  })

  it('next is one more than the greatest, in hexadecimal digits', async () => {
    const browser = await open()
    for (const alias of ['0', '9', 'work', 'A']) await browser.get(`/set?_s=${alias}`)
    expect(await me(browser, '0')).toMatchObject({ next: 'a' })
    await browser.get('/set?_s=ff')
    expect(await me(browser, '0')).toMatchObject({ next: '100' })
  })
})

describe('what each session has seen', () => {
  it('is in cookies of its own, and its alone is given to the backend', async () => {
    const given: unknown[] = []
    const { middleware } = mount({ accounts: true }, (memory) => {
      const load = memory.load.bind(memory)
      const save = memory.save.bind(memory)
      return Object.assign(memory, {
        load: (id: string, seen: unknown) => {
          given.push(seen)
          return load(id)
        },
        save: (...args: Parameters<typeof save>) => ({ ...save(...args), seen: new Map([['2', 'token']]) }),
      })
    })
    const browser = await serve(bare(middleware, shop))
    for (const alias of ['0', '1', '1', '0']) await browser.get(`/set?_s=${alias}`)
    expect([...browser.jar.keys()]).toEqual(['sid', 'sid.v2.1', 'sid.v2'])
    browser.jar.set('sid.v3.1', 'other')
    browser.jar.set('sid.v1', 'default')
    given.length = 0
    await browser.get('/me?_s=1')
    await browser.get('/me')
    await browser.get('/me?_s=3')
    expect(given).toEqual([new Map([['2', 'token'], ['3', 'other']]), new Map([['2', 'token'], ['1', 'default']])])
  })
})

describe('accounts', () => {
  it('that are off say so when they are asked for', async () => {
    const browser = await serve(bare(mount().middleware, shop))
    expect(await browser.get('/me')).toMatchObject({ status: 500, body: expect.stringContaining('the option accounts') })
  })

  it('go along with bearers: these have one session each', async () => {
    const browser = await open({ carrier: ['cookie', 'bearer'] })
    await browser.get('/set?_s=1')
    await browser.get('/set?_s=2')
    const { headers, setCookie } = await browser.send({ path: '/set?_s=3', headers: { authorization: 'Bearer none' } })
    expect(setCookie).toEqual([])
    expect(headers['x-auth-token']).toMatch(/^[\w-]{48}$/)
    expect(held(browser)).toEqual(['1', '2'])
  })

  it('are told apart by the address of a socket as well', async () => {
    const mounted = mount({ accounts: true })
    const browser = await serve(bare(mounted.middleware, shop))
    await browser.get('/login?as=rob')
    await browser.get('/login?as=luke&_s=1')
    const binder = new SocketBinder(mounted.backend, resolveSessionOptions({ accounts: true }), { now: mounted.clock.now, log: silent })
    onTestFinished(() => binder.close())
    const socket = { close: () => {}, onClose: () => {}, onMessage: () => {} }
    const req = new IncomingMessage(new Socket())
    req.headers.cookie = `sid=${browser.jar.get('sid')}`
    req.url = '/chat?_s=1'

    const bound = await binder.bind(socket, req)

    expect((await bound.session())?.toObject()).toEqual({ user: 'luke' })
  })

  it('are configured by what can work', () => {
    for (const choice of [true, false, { query: 'a' }, { header: 'X-A' }, { path: '/u' }]) expect(isAccountsChoice(choice)).toBe(true)
    for (const choice of [1, null, {}, { query: 'a b' }, { path: 'u' }, { path: '/' }, { header: 'Cookie' }, { place: 'x' }]) {
      expect(isAccountsChoice(choice)).toBe(false)
    }
    const limits = { sessions: 1, sessionBytes: 1_024, attributes: 1 }
    const problems = (session: object): unknown => {
      try {
        return resolveSession(session, limits)
      } catch (error) {
        return error instanceof ConfigError ? error.problems : error
      }
    }
    expect(problems({ accounts: { paht: '/u' } })).toEqual([expect.stringMatching(/^accounts: unknown place paht, did you mean path\?/)])
    expect(problems({ accounts: true, carrier: 'bearer' })).toEqual([expect.stringMatching(/^accounts: sessions of one browser share one cookie/)])
  })
})
