/**
 * What express-session's documentation says of a session, with our Store under it, on Express 4 and 5. Every request of a
 * browser goes to another node than the one before it.
 */
import expressSession from 'express-session'
import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SECRET, site, type Handler, type SessionRequest, type Site, type SiteOptions, type Version } from './site.js'

const SID = /^connect\.sid=s%3A[^;]+; Path=\/; HttpOnly$/
const MINUTE = 60_000

/** Each request counts itself. */
const count = ({ session }: SessionRequest): number => (session.n = (session.n ?? 0) + 1)

const done = async (act: (callback: (error?: unknown) => void) => unknown): Promise<void> =>
  await new Promise((resolve, reject) => {
    act((error) => (error === undefined || error === null ? resolve() : reject(error)))
  })

/** What a few paths do to a session; anything else only reads it. */
const paths: Handler = async (req) => {
  const { session } = req
  switch (req.path) {
    case '/login':
      await done((callback) => session.regenerate(callback))
      req.session.user = 'ada'
      return req.sessionID
    case '/logout':
      await done((callback) => session.destroy(callback))
      return typeof req.session
    case '/count':
      return count(req)
    default:
      return JSON.stringify({ user: session?.user, n: session?.n, id: session?.id })
  }
}

describe.each<Version>(['express 4', 'express 5'])('express-session on %s, every request to another node:', (version) => {
  const open = async (options: SiteOptions = {}, handler: Handler = paths): Promise<Site> => await site(version, options, handler)

  describe('a session', () => {
    it('begins without a cookie and is the same for the browser that brings it', async () => {
      const browser = (await open({}, count)).browser()
      const first = await browser.get()
      expect(first.setCookie).toEqual([expect.stringMatching(SID)])
      expect([first.body, (await browser.get()).body, (await browser.get()).body]).toEqual(['1', '2', '3'])
    })

    it('is not shared by browsers', async () => {
      const app = await open({}, count)
      const [a, b] = [app.browser(), app.browser()]
      expect([(await a.get()).body, (await a.get()).body, (await b.get()).body]).toEqual(['1', '2', '1'])
    })

    it('tells its cookie once, not with every response', async () => {
      const browser = (await open({}, count)).browser()
      await browser.get()
      expect((await browser.get()).setCookie).toEqual([])
    })

    it('has an id that equals sessionID and cannot be set', async () => {
      const app = await open({}, (req) => {
        req.session.n = 1
        expect(() => Object.assign(req.session, { id: 'other' })).toThrow(TypeError)
        return String(req.session.id === req.sessionID && typeof req.session.id === 'string')
      })
      const browser = app.browser()
      expect([(await browser.get()).body, (await browser.get()).body]).toEqual(['true', 'true'])
    })

    it('keeps nested objects that were changed in place', async () => {
      const app = await open({}, (req) => {
        req.session.cart ??= []
        req.session.cart.push(`item ${req.session.cart.length}`)
        return req.session.cart.join()
      })
      const browser = app.browser()
      await browser.get()
      expect((await browser.get()).body).toBe('item 0,item 1')
    })

    it('is left alone by a second session middleware', async () => {
      const app = await open({ before: (req, _res, next) => (Object.assign(req, { session: { mine: true } }), next()) }, (req) =>
        JSON.stringify(req.session),
      )
      const reply = await app.visit()
      expect([reply.body, reply.setCookie]).toEqual(['{"mine":true}', []])
    })
  })

  describe('saveUninitialized', () => {
    it('false: nothing is stored and no cookie is set until something is written', async () => {
      const app = await open()
      const browser = app.browser()
      expect((await browser.get()).setCookie).toEqual([])
      expect(await app.stores[1]?.length()).toBe(0)
      expect((await browser.get('/count')).setCookie).toHaveLength(1)
      expect(await app.stores[1]?.length()).toBe(1)
    })

    it('true: a session that nobody wrote to is stored and has a cookie', async () => {
      const app = await open({ saveUninitialized: true })
      const browser = app.browser()
      const { body, setCookie } = await browser.get()
      expect(setCookie).toHaveLength(1)
      expect((await browser.get()).body).toBe(body)
      expect(await app.stores[1]?.length()).toBe(1)
    })
  })

  describe('resave', () => {
    it.each([true, false])('%s: a session that was only read stays, and stays alive', async (resave) => {
      const app = await open({ resave, cookie: { maxAge: 6_000 } })
      const browser = app.browser()
      await browser.get('/count')
      for (let i = 0; i < 3; i++) {
        await app.advance(4_000)
        expect(JSON.parse((await browser.get()).body)).toMatchObject({ n: 1 })
      }
    })

    it('true: a slow request that only read does not take back what another wrote', async () => {
      let release = (): void => {}
      const held = new Promise<void>((resolve) => (release = resolve))
      let arrived = (): void => {}
      const reached = new Promise<void>((resolve) => (arrived = resolve))
      const app = await open({ resave: true }, async (req) => {
        if (req.path === '/slow') {
          arrived()
          await held
        } else if (req.path === '/set') req.session.n = 2
        else req.session.n ??= 1
        return req.session.n
      })
      const browser = app.browser()
      await browser.get()
      const slow = browser.get('/slow')
      await reached
      await browser.get('/set')
      release()
      await slow
      expect((await browser.get()).body).toBe('2')
    })
  })

  describe('rolling', () => {
    it('sends the cookie with every response, its lifetime anew', async () => {
      const app = await open({ rolling: true, cookie: { maxAge: MINUTE } })
      const browser = app.browser()
      await browser.get('/count')
      const [first] = (await browser.get()).setCookie
      await app.advance(5_000)
      const [second] = (await browser.get()).setCookie
      expect(expiryOf(second) - expiryOf(first)).toBeGreaterThanOrEqual(5_000)
    })

    it('with saveUninitialized false sends none for a session that nobody wrote to', async () => {
      expect((await (await open({ rolling: true })).visit()).setCookie).toEqual([])
    })
  })

  describe('cookie', () => {
    it('has the attributes that were asked for', async () => {
      const cookie = { domain: 'example.test', path: '/', httpOnly: false, sameSite: 'strict', priority: 'high', partitioned: true } as const
      const [line = ''] = (await (await open({ cookie: { ...cookie, maxAge: MINUTE } })).visit('/count')).setCookie
      const parts = line.split('; ').slice(1).filter((part) => !part.startsWith('Expires='))
      expect(parts.sort()).toEqual(['Domain=example.test', 'Partitioned', 'Path=/', 'Priority=High', 'SameSite=Strict'])
      expect(Math.abs(expiryOf(line) - Date.now() - MINUTE)).toBeLessThan(2_000)
    })

    it('keeps them with the session, through another node', async () => {
      const app = await open({ cookie: { maxAge: MINUTE, sameSite: 'lax', priority: 'low' }, rolling: true })
      const browser = app.browser()
      const [first = ''] = (await browser.get('/count')).setCookie
      const [second = ''] = (await browser.get()).setCookie
      expect(withoutExpiry(second)).toBe(withoutExpiry(first))
      expect(second).toContain('SameSite=Lax')
    })

    it('can be decided request by request', async () => {
      const app = await open({ cookie: (req) => ({ path: `/${req.url.split('/')[1]}`, maxAge: MINUTE }) })
      expect((await app.visit('/count')).setCookie[0]).toContain('Path=/count;')
    })

    it('of another path means no session', async () => {
      const app = await open({ cookie: { path: '/admin' } }, (req) => typeof req.session)
      expect([(await app.visit('/')).body, (await app.visit('/admin/x')).body]).toEqual(['undefined', 'object'])
    })

    it('stands beside the cookies of others', async () => {
      const app = await open({}, (req, res) => {
        res.setHeader('Set-Cookie', 'other=1')
        return count(req)
      })
      expect((await app.visit()).setCookie).toEqual(['other=1', expect.stringMatching(SID)])
    })

    it('maxAge tells what is left, and starts anew when the request ends', async () => {
      const app = await open({ cookie: { maxAge: MINUTE } }, (req) => {
        req.session.n ??= 1
        return JSON.stringify([req.session.cookie.maxAge, req.session.cookie.originalMaxAge])
      })
      const browser = app.browser()
      await browser.get()
      await app.advance(9_000)
      const [left, original] = JSON.parse((await browser.get()).body) as [number, number]
      expect([left > 50_000 && left <= 51_500, Math.abs(original - MINUTE) <= 20]).toEqual([true, true])
      const [afterwards] = JSON.parse((await browser.get()).body) as [number]
      expect(afterwards).toBeGreaterThan(59_000)
    })

    it('maxAge can be changed for one session, which then lives that long', async () => {
      const app = await open({ cookie: { maxAge: 4_000 } }, (req) => {
        req.session.n ??= 1
        if (req.path === '/remember') req.session.cookie.maxAge = 8_000
        return req.session.cookie.originalMaxAge
      })
      const browser = app.browser()
      await browser.get()
      await browser.get('/remember')
      await app.advance(7_000)
      expect(Number((await browser.get()).body)).toBeGreaterThan(7_900)
    })

    it('expires = false leaves it to the browser', async () => {
      const app = await open({ cookie: { maxAge: MINUTE }, rolling: true }, (req) => {
        req.session.n = 1
        if (req.path === '/forget') Object.assign(req.session.cookie, { expires: false })
        return String(req.session.cookie.maxAge)
      })
      const browser = app.browser()
      expect((await browser.get()).setCookie[0]).toContain('Expires=')
      expect((await browser.get('/forget')).setCookie[0]).not.toContain('Expires=')
      expect((await browser.get()).setCookie[0]).not.toContain('Expires=')
    })

    it('that has run out means a new session', async () => {
      const app = await open({ cookie: { maxAge: 4_000 } })
      const browser = app.browser()
      await browser.get('/count')
      await app.advance(4_500)
      expect((await browser.get('/count')).body).toBe('1')
    })
  })

  describe('secure connections', () => {
    const https = { 'x-forwarded-proto': 'https' }

    it('secure: true sets no cookie over http', async () => {
      expect((await (await open({ cookie: { secure: true } })).visit('/count')).setCookie).toEqual([])
    })

    it.each<[SiteOptions, Record<string, string>, number]>([
      [{ trust: true }, https, 1],
      [{ trust: true }, {}, 0],
      [{ trust: false }, https, 0],
      [{ proxy: true }, https, 1],
      [{ proxy: true }, { 'x-forwarded-proto': 'HTTPS , http' }, 1],
      [{ proxy: true }, { 'x-forwarded-proto': 'http,https' }, 0],
      [{ proxy: false, trust: true }, https, 0],
    ])('with %j and %j it sets %d', async (options, headers, cookies) => {
      expect((await (await open({ cookie: { secure: true }, ...options })).visit('/count', headers)).setCookie).toHaveLength(cookies)
    })

    it('a direct TLS connection is secure, whatever the proxy says', async () => {
      const before: Handler = (req, _res, next) => (Object.assign(req.socket, { encrypted: true }), next())
      const reply = await (await open({ cookie: { secure: true }, proxy: false, before })).visit('/count')
      expect(reply.setCookie[0]).toContain('; Secure')
    })

    it("'auto' follows the connection, for secure and for sameSite", async () => {
      const app = await open({ cookie: { secure: 'auto', sameSite: 'auto' } as never, proxy: true })
      expect((await app.visit('/count')).setCookie[0]).toMatch(/HttpOnly; SameSite=Lax$/)
      expect((await app.visit('/count', https)).setCookie[0]).toMatch(/HttpOnly; Secure; SameSite=None$/)
    })
  })

  describe('the id', () => {
    it('is made by genid, which is given the request', async () => {
      const app = await open({ genid: (req) => `an-id-made-for-the-test-${req.url}` })
      const browser = app.browser()
      expect(decodeURIComponent((await browser.get('/count')).setCookie[0] ?? '')).toContain('s:an-id-made-for-the-test-/count.')
      expect(JSON.parse((await browser.get()).body)).toMatchObject({ n: 1, id: 'an-id-made-for-the-test-/count' })
    })

    it('too short to be safe is an error that says so', async () => {
      const reply = await (await open({ genid: () => 'short' }, async (req) => {
        req.session.n = 1
        await done((callback) => req.session.save(callback))
      })).visit()
      expect([reply.status, reply.body]).toEqual([500, expect.stringContaining('genid: ids of 5 characters can be guessed')])
    })

    it('can be one that a session of before had, and nothing of that comes back', async () => {
      const app = await open({ genid: () => 'the-same-id-for-every-session' })
      const browser = app.browser()
      await browser.get('/count')
      await browser.get('/logout')
      expect((await browser.get('/count')).body).toBe('1')
      expect((await browser.get('/count')).body).toBe('2')
    })

    it('travels in a cookie of the given name', async () => {
      const app = await open({ name: 'my.sid' })
      const browser = app.browser()
      expect((await browser.get('/count')).setCookie[0]).toMatch(/^my\.sid=/)
      expect((await browser.get('/count')).body).toBe('2')
    })

    it('that nobody knows is never taken over: the browser gets another', async () => {
      const app = await open()
      const browser = app.browser()
      await browser.get('/count')
      const [old = ''] = browser.jar.values()
      await browser.get('/logout')
      const reply = await app.visit('/count', { cookie: `connect.sid=${old}` })
      expect([reply.body, reply.setCookie.length, reply.setCookie[0]?.includes(old)]).toEqual(['1', 1, false])
    })
  })

  describe('secret', () => {
    it('signs with the first of several and accepts all', async () => {
      const before = await open({ secret: 'the old secret' })
      const old = before.browser()
      await old.get('/count')
      const app = await open({ secret: ['the new secret', 'the old secret'] })
      const browser = app.browser()
      await browser.get('/count')
      expect((await browser.get('/count')).body).toBe('2')
      const onlyNew = await open({ secret: 'the new secret', genid: () => 'an-id-that-is-long-enough' })
      expect((await onlyNew.visit('/count', { cookie: `connect.sid=${[...browser.jar.values()][0]}` })).setCookie).toHaveLength(1)
    })

    it.each([
      ['unsigned', (value: string) => value.replace(/^s%3A/, '').replace(/\..*$/, '')],
      ['badly signed', (value: string) => `${value.slice(0, -4)}AAAA`],
      ['of other text', () => 's%3Aabc'],
    ])('refuses a cookie that is %s', async (_, tamper) => {
      const app = await open()
      const browser = app.browser()
      await browser.get('/count')
      const [value = ''] = browser.jar.values()
      expect((await app.visit('/count', { cookie: `connect.sid=${tamper(value)}` })).body).toBe('1')
      expect((await browser.get('/count')).body).toBe('2')
    })

    it('left out is an error, unless the request has one', async () => {
      expect((await (await open({ secret: undefined as never })).visit()).body).toContain('secret option required')
      const before: Handler = (req, _res, next) => (Object.assign(req, { secret: 'from elsewhere' }), next())
      const browser = (await open({ secret: undefined as never, before })).browser()
      await browser.get('/count')
      expect((await browser.get('/count')).body).toBe('2')
    })
  })

  describe('unset', () => {
    const unsetting: Handler = (req) => {
      if (req.path === '/null') return ((req as { session: unknown }).session = null)
      if (req.path === '/delete') return delete (req as { session?: unknown }).session
      return count(req)
    }

    it.each(['/null', '/delete'])("'destroy' ends the session at %s", async (path) => {
      const app = await open({ unset: 'destroy' }, unsetting)
      const browser = app.browser()
      await browser.get()
      await browser.get(path)
      expect(await app.stores[0]?.length()).toBe(0)
      expect((await browser.get()).body).toBe('1')
    })

    it("'keep', the default, keeps what is stored", async () => {
      const app = await open({}, unsetting)
      const browser = app.browser()
      await browser.get()
      await browser.get('/null')
      expect((await browser.get()).body).toBe('2')
    })
  })

  describe('methods', () => {
    it('regenerate gives a new id and an empty session; the old id is dead everywhere', async () => {
      const app = await open()
      const browser = app.browser()
      await browser.get('/count')
      const [old = ''] = browser.jar.values()
      await browser.get('/login')
      expect([...browser.jar.values()]).not.toEqual([old])
      expect(JSON.parse((await browser.get()).body)).toMatchObject({ user: 'ada' })
      for (let i = 0; i < 2; i++) {
        expect(JSON.parse((await app.visit('/', { cookie: `connect.sid=${old}` })).body)).not.toHaveProperty('n')
      }
      expect(await app.stores[0]?.length()).toBe(1)
    })

    it('destroy takes req.session away and ends the session everywhere', async () => {
      const app = await open()
      const browser = app.browser()
      await browser.get('/login')
      expect((await browser.get('/logout')).body).toBe('undefined')
      for (let i = 0; i < 2; i++) expect(JSON.parse((await browser.get()).body)).not.toHaveProperty('user')
    })

    it('reload forgets what was changed and not saved, and shows what others saved', async () => {
      const app = await open({}, async (req) => {
        if (req.path !== '/reload') return count(req)
        const before = req.session
        req.session.n = 99
        await other.get()
        await done((callback) => req.session.reload(callback))
        return `${req.session.n} ${req.session === before} ${req.session.id === before.id}`
      })
      const browser = app.browser()
      const other = browser
      await browser.get()
      expect((await browser.get('/reload')).body).toBe('2 false true')
      expect((await browser.get()).body).toBe('3')
    })

    it('reload of a session that ended meanwhile is an error', async () => {
      const app = await open({}, async (req) => {
        if (req.path !== '/reload') return count(req)
        await app.stores[1]?.destroy(req.sessionID)
        return await done((callback) => req.session.reload(callback))
      })
      const browser = app.browser()
      await browser.get()
      expect((await browser.get('/reload')).status).toBe(500)
    })

    it('save writes at once, while the request goes on', async () => {
      const app = await open({}, async (req) => {
        if (req.path !== '/save') return JSON.stringify(req.session.n)
        req.session.n = 7
        await done((callback) => req.session.save(callback))
        return (await browser.get('/', { cookie: `connect.sid=${signed(req.sessionID)}` })).body
      })
      const browser = app.browser()
      expect((await browser.get('/save')).body).toBe('7')
    })

    it('touch and resetMaxAge start the lifetime anew and can be chained', async () => {
      const app = await open({ cookie: { maxAge: MINUTE } }, (req) => {
        req.session.n ??= 1
        return req.session.touch().resetMaxAge().cookie.maxAge
      })
      const browser = app.browser()
      await browser.get()
      await app.advance(5_000)
      expect(Number((await browser.get()).body)).toBeGreaterThan(59_000)
    })
  })

  describe('trouble', () => {
    it('an error of get reaches the error handler, with 503 where trying again helps (H19)', async () => {
      const app = await open()
      const browser = app.browser()
      await browser.get('/count')
      await browser.get('/count')
      await Promise.all(app.nodes.map((node) => node.close()))
      app.nodes.forEach((node) => Object.assign(node, { load: () => ({ state: 'behind', retryAfterMs: 1_000 }) }))
      expect((await browser.get()).status).toBe(503)
    })

    it('an error of set reaches the error handler', async () => {
      const app = await open({ storeOptions: { limits: { bytes: 300 } } }, async (req) => {
        req.session.user = 'x'.repeat(1_000)
        await done((callback) => req.session.save(callback))
      })
      const reply = await app.visit()
      expect([reply.status, reply.body]).toEqual([500, expect.stringContaining('at most 300')])
    })

    it('a store that said it is disconnected is not asked; connected again, it is', async () => {
      const app = await open({}, (req) => typeof req.session)
      for (const store of app.stores) store.emit('disconnect')
      expect((await app.visit()).body).toBe('undefined')
      for (const store of app.stores) store.emit('connect')
      expect([(await app.visit()).body, (await app.visit()).body]).toEqual(['object', 'object'])
    })

    it('a stored session without a cookie is an error, not a crash', async () => {
      const app = await open({ genid: () => 'an-id-that-is-long-enough' })
      const browser = app.browser()
      await browser.get('/count')
      await app.stores[0]?.set('an-id-that-is-long-enough', { n: 1 })
      expect((await browser.get()).status).toBe(500)
    })
  })

  it('is what session() takes for a store, by its types too', async () => {
    const app = await open()
    const [store] = app.stores
    if (store === undefined) throw new Error('no store')
    expect(typeof expressSession({ store, secret: 'x', resave: false, saveUninitialized: false })).toBe('function')
  })
})

/** As the browser would have it, had it been told already. */
function signed(id: string): string {
  const signature = createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '')
  return `s%3A${encodeURIComponent(`${id}.${signature}`)}`
}

function expiryOf(line = ''): number {
  return Date.parse(/Expires=([^;]+)/.exec(line)?.[1] ?? '')
}

function withoutExpiry(line: string): string {
  return line.replace(/; Expires=[^;]+/, '')
}
