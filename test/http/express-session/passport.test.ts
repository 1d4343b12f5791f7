/** Passport 0.7 logs in and out with what express-session offers, over the Store and over our own middleware. */
import type { RequestHandler } from 'express'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { sessions } from '../../../src/http/middleware.js'
import { resolveSessionOptions } from '../../../src/http/options.js'
import { silent } from '../../../src/log.js'
import { site, type Handler, type Site, type SiteOptions } from './site.js'

/** As much of Passport as is used here: its types would declare `req.user` for every test. */
interface Passport {
  use(strategy: object): void
  serializeUser(serialize: (user: object, done: Done) => void): void
  deserializeUser(deserialize: (name: string, done: Done) => void): void
  session(): RequestHandler
  authenticate(strategy: string, options?: object): RequestHandler
}
type Done = (error: unknown, user?: unknown) => void
interface PassportRequest {
  readonly user?: { readonly name: string }
  logout(options: object, done: (error?: unknown) => void): void
  isAuthenticated(): boolean
}

const require = createRequire(import.meta.url)

function passport(): Passport {
  const { Passport } = require('passport') as { Passport: new () => Passport }
  const { Strategy } = require('passport-local') as {
    Strategy: new (check: (name: string, password: string, done: Done) => void) => object
  }
  const made = new Passport()
  made.use(new Strategy((name, password, done) => done(null, password === 'open sesame' && { name })))
  made.serializeUser((user, done) => done(null, (user as { name: string }).name))
  made.deserializeUser((name, done) => done(null, { name }))
  return made
}

const own: SiteOptions = {
  sessions: (backend) => {
    const options = resolveSessionOptions({ cookie: { name: 'connect.sid' } })
    return sessions(backend, options, { now: () => Date.now(), log: silent })
  },
}

describe.each<[string, SiteOptions]>([
  ['the Store under express-session', {}],
  ['our own middleware', own],
])('Passport over %s, every request to another node,', (_, options) => {
  const LOGIN = '/login?username=ada&password=open+sesame'

  const open = async (keepSessionInfo = false): Promise<Site> => {
    const pass = passport()
    const redirects = { keepSessionInfo, successRedirect: '/', failureRedirect: '/no' }
    const handler: Handler = async (req, res, next) => {
      const asking = req as unknown as PassportRequest
      if (req.path === '/login') return void pass.authenticate('local', redirects)(req as never, res, next)
      if (req.path === '/logout') {
        await new Promise<void>((resolve, reject) => {
          asking.logout({ keepSessionInfo }, (error) => (error === undefined ? resolve() : reject(error)))
        })
      }
      if (req.path === '/cart') req.session.cart = ['tea']
      return JSON.stringify([asking.user?.name ?? null, asking.isAuthenticated(), req.session.cart ?? null])
    }
    return await site('express 5', { ...options, after: [pass.session()] }, handler)
  }

  it('a login holds on every node, with an id that nobody knew before', async () => {
    const app = await open()
    const browser = app.browser()
    await browser.get('/cart')
    const [before = ''] = browser.jar.values()
    expect((await browser.get(LOGIN)).headers.location).toBe('/')

    for (let i = 0; i < 4; i++) expect((await browser.get()).body).toBe('["ada",true,null]')
    expect([...browser.jar.values()]).not.toContain(before)
    for (let i = 0; i < 2; i++) expect((await app.visit('/', { cookie: `connect.sid=${before}` })).body).toBe('[null,false,null]')
  })

  it('a refused login logs nobody in', async () => {
    const browser = (await open()).browser()
    expect((await browser.get('/login?username=ada&password=x')).headers.location).toBe('/no')
    expect((await browser.get()).body).toBe('[null,false,null]')
  })

  it('a logout holds on every node, for the old id too', async () => {
    const app = await open()
    const browser = app.browser()
    await browser.get(LOGIN)
    const [id = ''] = browser.jar.values()
    await browser.get('/logout')
    for (let i = 0; i < 2; i++) {
      expect((await browser.get()).body).toBe('[null,false,null]')
      expect((await app.visit('/', { cookie: `connect.sid=${id}` })).body).toBe('[null,false,null]')
    }
  })

  it('what was in the session stays through login and logout where that is asked for', async () => {
    const browser = (await open(true)).browser()
    await browser.get('/cart')
    await browser.get(LOGIN)
    expect((await browser.get()).body).toBe('["ada",true,["tea"]]')
    await browser.get('/logout')
    expect((await browser.get()).body).toBe('[null,false,["tea"]]')
  })
})
