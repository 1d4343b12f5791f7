/** What sessions do in every container, whoever answers the requests there. */
import { describe, expect, it } from 'vitest'
import { BackendError, NotReadyError } from '../../src/errors.js'
import type { SessionOptions } from '../../src/http/options.js'
import { Latch, held, mount, remote, serve, until, type Client, type Mounted } from './support.js'
import type { Container, VisitHandler } from './containers.js'

const shop: VisitHandler = async ({ path, session: present }) => {
  const session = present()
  switch (path.replace(/\?.*/, '')) {
    case '/count':
      session['n'] = Number(session['n'] ?? 0) + 1
      return { body: String(session['n']) }
    case '/login':
      session['user'] = 'ada'
      await session.rotate()
      return { status: 302, headers: { location: '/get' } }
    case '/regenerate':
      await session.regenerate()
      present()['user'] = 'eve'
      return { body: 'new' }
    case '/out':
      await session.destroy()
      return { body: 'out' }
    case '/principal':
      await session.setPrincipal('ada')
      return { body: 'ada' }
    case '/cached':
      session['n'] = Math.random()
      return { headers: { 'cache-control': 'public, max-age=60' }, body: 'page' }
    case '/own-cookie':
      session['n'] = 1
      return { headers: { 'set-cookie': 'own=1' }, body: 'page' }
    case '/not-modified':
      session['seen'] = true
      return { status: 304 }
    case '/throw':
      session['n'] = 9
      throw new Error('of the application')
    default:
      return { body: JSON.stringify(session) }
  }
}

/** Runs every behaviour in one container. */
export function containerSuite(name: string, container: Container): void {
  const open = async (mounted: Mounted, handler = shop, failed: (error: unknown) => void = () => {}): Promise<Client> => {
    return await serve(await container({ sessions: () => mounted.middleware }, handler, failed))
  }
  const site = async (options: SessionOptions = {}): Promise<Client> => await open(mount(options))

  describe(`in ${name}`, () => {
    it('nobody who writes nothing gets a session', async () => {
      const mounted = mount()
      const answer = await (await open(mounted)).get('/get')
      expect(answer).toMatchObject({ status: 200, body: '{}', setCookie: [] })
      expect(answer.headers).not.toHaveProperty('cache-control')
      expect(mounted.backend.size().sessions).toBe(0)
    })

    it('what is written is there in the next request, with one cookie in all, which no cache may keep', async () => {
      const browser = await site()
      const first = await browser.get('/count')
      expect(first.setCookie).toEqual([expect.stringMatching(/^sid=[\w-]{48}; Path=\/; HttpOnly; SameSite=Lax$/)])
      expect(first.headers['cache-control']).toBe('no-store')
      for (const body of ['2', '3']) expect(await browser.get('/count')).toMatchObject({ body, setCookie: [] })
    })

    it('the cache control of the application stays', async () => {
      const answer = await (await site()).get('/cached')
      expect(answer.setCookie).toHaveLength(1)
      expect(answer.headers['cache-control']).toBe('public, max-age=60')
    })

    it('a cookie of the application leaves beside ours', async () => {
      const answer = await (await site()).get('/own-cookie')
      expect(answer.setCookie.map((line) => line.split('=')[0])).toEqual(expect.arrayContaining(['own', 'sid']))
    })

    it('a redirect does not leave before what it wrote is committed', async () => {
      const latch = new Latch()
      const browser = await open(mount({}, (memory) => held(memory, ['create'], latch)))
      let hasAnswer = false
      const answer = browser.get('/login').then((given) => {
        hasAnswer = true
        return given
      })
      await until(() => expect(latch.waiting).toBe(1))
      expect(hasAnswer).toBe(false)
      latch.open()
      expect(await answer).toMatchObject({ status: 302, setCookie: [expect.stringMatching(/^sid=/)] })
      expect((await browser.get('/get')).body).toBe('{"user":"ada"}')
    })

    it.each([['in process', mount()], ['on another machine', mount({}, remote)]])(
      'a login changes the id and a logout ends it, with a backend %s',
      async (_, mounted) => {
        const browser = await open(mounted)
        await browser.get('/count')
        const before = browser.jar.get('sid')
        await browser.get('/login')
        const after = browser.jar.get('sid')
        expect(after).not.toBe(before)
        expect((await browser.get('/get', { cookie: `sid=${before}` })).body).toBe('{}')
        expect((await browser.get('/get')).body).toBe('{"n":1,"user":"ada"}')
        expect((await browser.get('/out')).setCookie).toEqual([expect.stringMatching(/^sid=; Max-Age=0/)])
        expect((await browser.get('/get', { cookie: `sid=${after}` })).body).toBe('{}')
      },
    )

    it('regenerate() gives a new session within the request', async () => {
      const browser = await site()
      await browser.get('/count')
      await browser.get('/regenerate')
      expect((await browser.get('/get')).body).toBe('{"user":"eve"}')
    })

    it('setPrincipal() is known to the backend', async () => {
      const mounted = mount()
      const browser = await open(mounted)
      await browser.get('/principal')
      expect(await mounted.backend.find('ada')).toHaveLength(1)
    })

    it('304 and HEAD carry the cookie', async () => {
      const browser = await site()
      expect(await browser.get('/not-modified')).toMatchObject({ status: 304, setCookie: [expect.any(String)] })
      expect(await browser.other().get('/count', { method: 'HEAD' })).toMatchObject({ body: '', setCookie: [expect.any(String)] })
    })

    it('what is written while a body streams is committed before its end', async () => {
      const streaming: VisitHandler = ({ path, session: present }) => {
        const session = present()
        async function* parts(): AsyncGenerator<string> {
          yield 'one '
          await new Promise(setImmediate)
          session['late'] = true
          yield 'two'
        }
        return path === '/stream' ? { body: parts() } : shop({ path, session: present })
      }
      const browser = await open(mount({}, remote), streaming)
      await browser.get('/count')
      expect((await browser.get('/stream')).body).toBe('one two')
      expect((await browser.get('/get')).body).toBe('{"n":1,"late":true}')
    })

    it('a commit that fails is an error, and nothing of the answer leaves', async () => {
      const mounted = mount({}, (memory) => {
        return Object.assign(memory, {
          save: () => {
            throw new BackendError('out of order')
          },
        })
      })
      const browser = await open(mounted)
      await browser.get('/count')
      const answer = await browser.get('/count')
      expect(answer.status).toBe(503)
      expect(answer.body).not.toBe('2')
      expect(mounted.counter('commit_failures_total')).toBe(1)
      expect((await browser.get('/get')).body).toBe('{"n":1}')
    })

    it('the same where the backend answers later; and the error handler of the application is told', async () => {
      const latch = new Latch()
      const errors: unknown[] = []
      const mounted = mount({}, (memory) => held(memory, ['save'], latch))
      const browser = await open(mounted, shop, (error) => errors.push(error))
      await browser.get('/count')
      const answer = browser.get('/count')
      await until(() => expect(latch.waiting).toBe(1))
      const failure = new Error('out of order')
      latch.fail(failure)
      expect((await answer).status).toBe(500)
      expect(errors).toEqual([failure])
      expect(mounted.counter('commit_failures_total')).toBe(1)
    })

    it('a node that cannot tell answers 503 and when to come again, never an empty session', async () => {
      let isBehind = false
      const mounted = mount({}, (memory) => {
        const load = memory.load.bind(memory)
        return Object.assign(memory, {
          load: (id: string) => {
            if (isBehind) throw new NotReadyError('not yet', 2_000)
            return load(id)
          },
        })
      })
      const browser = await open(mounted)
      await browser.get('/count')
      isBehind = true
      const answer = await browser.get('/get')
      expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '2' } })
      isBehind = false
      expect((await browser.get('/get')).body).toBe('{"n":1}')
    })

    it('an error of the application is answered as ever', async () => {
      const browser = await site()
      expect((await browser.get('/throw')).status).toBe(500)
      expect((await browser.get('/count')).status).toBe(200)
    })

    it('on demand, nothing is loaded before it is asked for', async () => {
      const mounted = mount({ load: 'on-demand' })
      const browser = await open(mounted, ({ path, session }) => {
        if (path === '/static') return { body: 'file' }
        expect(() => session()).toThrow('on demand')
        return { body: 'refused' }
      })
      expect((await browser.get('/static')).body).toBe('file')
      expect((await browser.get('/session')).body).toBe('refused')
    })

    it('ids travel in headers where that is chosen', async () => {
      const browser = await site({ carrier: { header: 'X-Auth-Token' } })
      const { headers, setCookie } = await browser.get('/count')
      expect(setCookie).toEqual([])
      expect(headers['cache-control']).toBe('no-store')
      const token = String(headers['x-auth-token'])
      expect((await browser.get('/count', { headers: { 'x-auth-token': token } })).body).toBe('2')
      expect((await browser.get('/out', { headers: { 'x-auth-token': token } })).headers['x-auth-token']).toBe('')
    })

    it('two tabs are two users', async () => {
      const browser = await site({ accounts: true })
      await browser.get('/count')
      await browser.get('/count?_s=1')
      expect((await browser.get('/count?_s=1')).body).toBe('2')
      await browser.get('/out')
      expect((await browser.get('/count?_s=1')).body).toBe('3')
    })
  })
}
