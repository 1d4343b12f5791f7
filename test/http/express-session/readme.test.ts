/**
 * The README of express-session, with our Store under it and every request on another node than the one before it: its
 * example programs as they stand there, and for each of its headings the test that holds us to it.
 */
import express from 'express'
import expressSession, { type SessionOptions } from 'express-session'
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { compileFunction } from 'node:vm'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SessionMeshStore } from '../../../src/express-session.js'
import { replicated } from './nodes.js'

const require = createRequire(import.meta.url)
const README = readFileSync(join(require.resolve('express-session'), '..', 'README.md'), 'utf8')
const TESTS = ['behaviour.test.ts', 'store.test.ts', 'readme.test.ts']
  .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
  // The table below names tests, and is none.
  .map((text) => text.slice(Math.max(0, text.lastIndexOf("describe('the programs"))))
  .join('\n')

/** Which of our tests speaks of which heading, by words of its name. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  'cookie': ['has the attributes that were asked for', 'can be decided request by request'],
  'cookie.domain': ['has the attributes that were asked for'],
  'cookie.expires': ['expires as an option', 'of expires and maxAge the one named last counts'],
  'cookie.httpOnly': ['has the attributes that were asked for', 'begins without a cookie'],
  'cookie.maxAge': ['maxAge tells what is left', 'that has run out means a new session'],
  'cookie.partitioned': ['has the attributes that were asked for'],
  'cookie.path': ['of another path means no session'],
  'cookie.priority': ['keeps them with the session, through another node'],
  'cookie.sameSite': ['keeps them with the session, through another node'],
  'cookie.secure': ['secure: true sets no cookie over http', "'auto' follows the connection"],
  'genid': ['is made by genid, which is given the request'],
  'name': ['travels in a cookie of the given name'],
  'proxy': ['with %j and %j it sets %d', 'a direct TLS connection is secure'],
  'resave': ['a session that was only read stays, and stays alive', 'a slow request that only read does not take back'],
  'rolling': ['sends the cookie with every response', 'with saveUninitialized false sends none'],
  'saveUninitialized': ['false: nothing is stored', 'true: a session that nobody wrote to is stored'],
  'secret': ['signs with the first of several and accepts all', 'left out is an error', 'a secret of bytes'],
  'store': ['is what session() takes for a store'],
  'unset': ["'destroy' ends the session at %s", "'keep', the default, keeps what is stored"],
  'Session.regenerate(callback)': ['regenerate gives a new id and an empty session'],
  'Session.destroy(callback)': ['destroy takes req.session away and ends the session everywhere'],
  'Session.reload(callback)': ['reload forgets what was changed', 'reload of a session that ended meanwhile is an error'],
  'Session.save(callback)': ['save writes at once, while the request goes on'],
  'Session.touch()': ['touch and resetMaxAge start the lifetime anew'],
  'req.session.id': ['has an id that equals sessionID and cannot be set'],
  'req.session.cookie': ['maxAge can be changed for one session', 'expires = false leaves it to the browser'],
  'Cookie.maxAge': ['maxAge tells what is left, and starts anew when the request ends'],
  'Cookie.originalMaxAge': ['maxAge can be changed for one session, which then lives that long'],
  'req.sessionID': ['has an id that equals sessionID and cannot be set'],
  'store.all(callback)': ['lists, counts and ends all sessions of express-session'],
  'store.destroy(sid, callback)': ['a destroyed session is found nowhere'],
  'store.clear(callback)': ['lists, counts and ends all sessions of express-session'],
  'store.length(callback)': ['lists, counts and ends all sessions of express-session'],
  'store.get(sid, callback)': ['a session that is not there is null, not an error'],
  'store.set(sid, session, callback)': ['what is set here is found there, with its cookie'],
  'store.touch(sid, session, callback)': ['a touch lets it live on, here and there'],
  'View counter': ['the view counter'],
  'User login': ['the user login'],
}

/** Headings that ask nothing of a store. */
const PROSE = ['session(options)', 'Options', 'req.session']

const headings = README.slice(README.indexOf('## API'), README.indexOf('## Debugging'))
  .split('\n')
  .flatMap((line) => /^###+ (.+)$/.exec(line)?.[1] ?? [])

describe('every heading of the README', () => {
  it('is named by a test, and no other', () => {
    expect(headings.filter((heading) => !PROSE.includes(heading)).sort()).toEqual(Object.keys(NAMED).sort())
  })

  it.each(Object.entries(NAMED))('%s: these tests exist', (_, names) => {
    for (const name of names) expect(TESTS).toContain(name)
  })
})

interface Reply {
  readonly status: number
  readonly body: string
  readonly setCookie: string
}

type Ask = (method: 'GET' | 'POST', path: string, form?: string) => Promise<Reply>

/** The program below a heading, on two nodes; a browser whose every request goes to the other one. */
async function program(heading: string): Promise<Ask> {
  const [, code = ''] = /```js\n([^]*?)```/.exec(README.slice(README.indexOf(`### ${heading}`))) ?? []
  return await visiting((await replicated(2)).map((backend) => run(code, new SessionMeshStore({ backend }))))
}

/** Runs a program as it stands: only the store is ours, and where it listens. */
function run(code: string, store: SessionMeshStore): express.Express {
  const made: express.Express[] = []
  const make = (): express.Express => {
    const app = express()
    made.push(app)
    return Object.assign(app, { listen: () => undefined })
  }
  const modules: Readonly<Record<string, unknown>> = {
    'express': Object.assign(make, { urlencoded: express.urlencoded }),
    'express-session': (options: SessionOptions) => expressSession({ ...options, store }),
  }
  compileFunction(code, ['require'])((name: string) => modules[name] ?? require(name))
  const [app] = made
  if (app === undefined) throw new Error('the program made no application')
  return app
}

async function visiting(apps: readonly express.Express[]): Promise<Ask> {
  const ports = await Promise.all(
    apps.map(async (app) => {
      const server = createServer(app)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      onTestFinished(() => void server.close())
      return (server.address() as AddressInfo).port
    }),
  )
  let visits = 0
  let cookie = ''
  return async (method, path, form = '') => {
    const type = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': form.length }
    const headers = { cookie, ...(form === '' ? {} : type) }
    return await new Promise((resolve, reject) => {
      const port = ports[visits++ % ports.length]
      const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (res) => {
        const [setCookie = ''] = res.headers['set-cookie'] ?? []
        if (setCookie !== '') cookie = setCookie.split(';')[0] ?? ''
        let body = ''
        res.setEncoding('utf8').on('data', (text: string) => (body += text))
        res.on('end', () => resolve({ status: res.statusCode ?? 0, body, setCookie }))
      })
      asked.on('error', reject)
      asked.end(form)
    })
  }
}

describe('the programs of the README', () => {
  it('the view counter counts the views of each page, on whichever node', async () => {
    const ask = await program('View counter')

    const bodies = []
    for (const path of ['/foo', '/foo', '/bar', '/foo']) bodies.push((await ask('GET', path)).body)

    expect(bodies.map((body) => body.replace('you viewed this page ', ''))).toEqual(['1 times', '2 times', '1 times', '3 times'])
  })

  it('the user login greets who logged in, and nobody after the logout', async () => {
    const ask = await program('User login')
    expect((await ask('GET', '/')).body).toContain('<form')

    expect((await ask('POST', '/login', 'user=ada&pass=x')).status).toBe(302)
    for (let i = 0; i < 2; i++) expect((await ask('GET', '/')).body).toContain('hello, ada!')
    expect((await ask('GET', '/logout')).status).toBe(302)
    for (let i = 0; i < 2; i++) expect((await ask('GET', '/')).body).toContain('<form')
  })
})

describe('options that no other test names', () => {
  const first = async (options: Partial<SessionOptions>): Promise<Reply> => {
    const counting = express.Router().use((req, res) => {
      Object.assign(req.session, { n: 1 })
      res.end()
    })
    const base = { secret: 'a secret', resave: false, saveUninitialized: false }
    const apps = (await replicated(2)).map((backend) => {
      return express().use(expressSession({ ...base, store: new SessionMeshStore({ backend }), ...options }), counting)
    })
    const ask = await visiting(apps)
    const reply = await ask('GET', '/')
    expect((await ask('GET', '/')).setCookie, 'the other node knows the session').toBe('')
    return reply
  }
  const inAnHour = (): Date => new Date(Math.floor(Date.now() / 1_000) * 1_000 + 3_600_000)

  it('expires as an option is what the cookie says', async () => {
    const expires = inAnHour()
    expect((await first({ cookie: { expires } })).setCookie).toContain(`Expires=${expires.toUTCString()}`)
  })

  it('of expires and maxAge the one named last counts', async () => {
    const expires = inAnHour()
    expect((await first({ cookie: { maxAge: 60_000, expires } })).setCookie).toContain(`Expires=${expires.toUTCString()}`)
    expect((await first({ cookie: { expires, maxAge: 60_000 } })).setCookie).not.toContain(`Expires=${expires.toUTCString()}`)
  })

  it('a secret of bytes signs as one of text does', async () => {
    expect((await first({ secret: Buffer.from('a secret of bytes') })).setCookie).toMatch(/^connect\.sid=s%3A/)
  })
})
