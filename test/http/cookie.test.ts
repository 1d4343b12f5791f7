import express from 'express'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/errors.js'
import { CookieCarrier } from '../../src/http/carriers/cookie-carrier.js'
import { COOKIE_AGE_MAX_MS, resolveSessionOptions, type CookieOptions, type SessionOptions } from '../../src/http/options.js'
import { bare, json, mount, serve, visit } from './support.js'

const ID = 'A'.repeat(48)

function incoming(cookie: string): IncomingMessage {
  const req = new IncomingMessage(new Socket())
  req.headers.cookie = cookie
  return req
}

function idsIn(cookie: string, options: CookieOptions = {}): readonly string[] {
  return new CookieCarrier(resolveSessionOptions({ cookie: options }).cookie, false).ids(incoming(cookie))
}

describe('the cookie is found', () => {
  it.each([[`sid=${ID}`], [`a=1; sid=${ID}`], [`a=1; sid=${ID}; b=2`], [`xsid=1; sid=${ID}`], [`sid=bad; sid=${ID}`]])(
    'in %s',
    (header) => expect(idsIn(header)).toEqual([ID]),
  )

  it('by its own name alone: names with white space before them, longer and shorter ones are others (H8)', () => {
    const secure = { secure: true } as const
    expect(idsIn(`__Host-sid=${ID}`, secure)).toEqual([ID])
    for (const before of [' ', '\t', '\u2000', '\u00a0', ';', ';\t', 'a=1;  ', 'a=1;\t', 'a=1;\u2000', 'a=1,', 'a=1;']) {
      expect(idsIn(`${before}__Host-sid=${ID}`, secure)).toEqual([])
    }
    for (const name of ['xsid', 'sid2', 'SID', 'sid.v1', 'si']) expect(idsIn(`${name}=${ID}`)).toEqual([])
    expect(idsIn(`sid=${ID}`, secure)).toEqual([])
  })

  it('up to four times, the same id once', () => {
    const ids = ['B', 'C', 'D', 'E', 'F'].map((letter) => letter.repeat(48))
    const header = [ids[0], ...ids].map((id) => `sid=${id}`).join('; ')
    expect(idsIn(header)).toEqual(ids.slice(0, 4))
  })

  it('with stamps beside it, sixteen at most, of slots that are slots', () => {
    const carrier = new CookieCarrier(resolveSessionOptions().cookie, false)
    const seen = (cookie: string): unknown => carrier.seen(incoming(cookie))
    expect(seen(`sid=${ID}`)).toBeUndefined()
    expect(seen('sid.v0=a; sid.v3=b; sid.v0=late')).toEqual(new Map([['0', 'a'], ['3', 'b']]))
    expect(seen(`sid.v=x; sid.v__proto__=y; sid.vA=z; sid.v1=${'x'.repeat(2_000)}; sid.v2`)).toBeUndefined()
    expect(seen(Array.from({ length: 30 }, (_, i) => `sid.v${i}=t`).join('; '))).toHaveProperty('size', 16)
  })
})

describe('the cookie is set', () => {
  const cookieOf = async (cookie: CookieOptions): Promise<string> => {
    const { middleware } = mount({ cookie, trustProxy: true })
    const client = await serve(
      bare(middleware, (req, res) => {
        req.session.n = 1
        res.end()
      }),
    )
    const answer = await client.get('/', { headers: { 'x-forwarded-proto': 'https' } })
    return (answer.setCookie[0] ?? '').replace(/=[\w-]{48}/, '=ID')
  }

  it.each<[string, CookieOptions, string]>([
    ['safely by default', {}, 'sid=ID; Path=/; HttpOnly; Secure; SameSite=Lax'],
    ['under __Host- where it is always secure', { secure: true }, '__Host-sid=ID; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [
      'as told',
      { name: 'who', path: '/app', domain: 'example.org', maxAge: 90_500, httpOnly: false, sameSite: 'strict', secure: false },
      'who=ID; Max-Age=90; Domain=example.org; Path=/app; SameSite=Strict',
    ],
    [
      'per embedding site',
      { sameSite: 'none', secure: true, partitioned: true },
      '__Host-sid=ID; Path=/; HttpOnly; Secure; Partitioned; SameSite=None',
    ],
    ['for 400 days at most', { maxAge: 1e15 }, `sid=ID; Max-Age=${COOKIE_AGE_MAX_MS / 1_000}; Path=/; HttpOnly; Secure; SameSite=Lax`],
  ])('%s (T15)', async (_, options, expected) => {
    expect(await cookieOf(options)).toBe(expected)
  })

  it('without Secure over http when that is left to the request, and believes no proxy unasked', async () => {
    const { middleware } = mount()
    const client = await serve(bare(middleware, (req, res) => void res.end(String((req.session.n = 1)))))
    const { setCookie } = await client.get('/', { headers: { 'x-forwarded-proto': 'https' } })
    expect(setCookie[0]).not.toContain('Secure')
  })

  it("as secure behind a proxy that Express trusts, and over TLS's own sockets", async () => {
    const { middleware } = mount({ cookie: { secure: true } })
    const app = express()
    app.set('trust proxy', true)
    app.use(middleware, (req, res) => {
      Object.assign(req.session, { n: 1 })
      res.end()
    })
    const proxied = await serve(app)
    expect((await proxied.get('/', { headers: { 'x-forwarded-proto': 'https' } })).setCookie).toHaveLength(1)

    const encrypted = await serve((req, res) => {
      Object.assign(req.socket, { encrypted: true })
      middleware(req, res, () => {
        Object.assign(req.session, { n: 1 })
        res.end()
      })
    })
    expect((await encrypted.get()).setCookie).toHaveLength(1)
  })

  it('never over http when it must be secure; the session is not kept either, and one warning says why (H18)', async () => {
    const mounted = mount({ cookie: { secure: true } })
    const client = await serve(
      bare(mounted.middleware, async (req, res) => {
        req.session.n = 1
        if (req.url === '/rotate') await req.session.rotate()
        json(res, 'ok')
      }),
    )
    for (const path of ['/', '/', '/rotate']) {
      expect(await client.get(path, { headers: { 'x-forwarded-proto': 'https' } })).toMatchObject({ status: 200, setCookie: [] })
    }
    expect(mounted.backend.size().sessions).toBe(0)
    expect(mounted.counter('writes_dropped_total{why="no-carrier"}')).toBeGreaterThanOrEqual(3)
    expect(mounted.warnings).toHaveLength(1)
    expect(mounted.warnings[0]?.detail).toContain('trust proxy')
  })

  it('and the lifetime of the session is the server\'s business alone (T33)', async () => {
    const mounted = mount({ ttl: 60_000, cookie: { maxAge: 1e9 } })
    const client = await visit(mounted, ({ session }) => void (session.n = 1))
    mounted.clock.time += 60_001
    const reader = await serve(bare(mounted.middleware, (req, res) => json(res, req.session)))
    expect((await reader.get('/', { cookie: `sid=${client.jar.get('sid')}` })).body).toBe('{}')
  })
})

describe('options', () => {
  it.each<[string, SessionOptions, string]>([
    ['ttl of 0', { ttl: 0 }, 'ttl: not a positive number (got 0)'],
    ['ttl that is not a number', { ttl: NaN }, 'ttl: not a positive number (got NaN)'],
    ['touchAfter beyond ttl', { ttl: 1_000, touchAfter: 1_000 }, 'touchAfter: 1000 is not less than ttl (1000)'],
    ['SameSite=None without Secure', { cookie: { sameSite: 'none' } }, 'browsers refuse "none" without secure'],
    ['Partitioned without Secure', { cookie: { partitioned: true } }, 'cookie.partitioned: browsers refuse it'],
    ['__Host- with a domain (C12)', { cookie: { name: '__Host-x', secure: true, domain: 'a.b' } }, 'no domain'],
    ['__Secure- without Secure', { cookie: { name: '__Secure-x' } }, '"__Secure-" asks for secure: true'],
    ['a name that is no token', { cookie: { name: 'a b' } }, 'cookie.name: not a cookie name'],
    ['limits of nothing', { limits: { bytes: 0 } }, 'limits.bytes: not a positive number'],
  ])('refuse %s', (_, options, problem) => {
    expect(() => resolveSessionOptions(options)).toThrow(ConfigError)
    expect(() => resolveSessionOptions(options)).toThrow(problem)
  })

  it('report every mistake together, and take Infinity and undefined', () => {
    expect(() => resolveSessionOptions({ ttl: -1, cookie: { name: '', sameSite: 'none' } })).toThrow('3 problem(s)')
    expect(resolveSessionOptions({ ttl: Infinity, touchAfter: undefined })).toMatchObject({ ttl: Infinity, touchAfter: 60_000 })
    expect(resolveSessionOptions({ cookie: { maxAge: Infinity } }).cookie.maxAge).toBe(COOKIE_AGE_MAX_MS)
    expect(resolveSessionOptions({ cookie: { secure: true, path: '/app' } }).cookie.name).toBe('sid')
    expect(resolveSessionOptions({ ttl: 20_000 }).touchAfter).toBe(1_000)
  })
})
