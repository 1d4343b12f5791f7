/** What is particular to one adapter; what all have in common is in container-suite.ts. */
import fastify, { type FastifyInstance } from 'fastify'
import { createRequire } from 'node:module'
import type { RequestListener } from 'node:http'
import { describe, expect, it } from 'vitest'
import { fastifySessions } from '../../src/http/adapters/fastify.js'
import { loadSessionOf, sessionOf, withSession } from '../../src/http/adapters/fetch.js'
import { koaSessions, type KoaContext, type WithSession } from '../../src/http/adapters/koa.js'
import type { SessionSource } from '../../src/http/middleware.js'
import type { SessionOptions } from '../../src/http/options.js'
import type { Session } from '../../src/http/handle/session-types.js'
import { held, Latch, mount, serve, until, type Mounted } from './support.js'

type Any = Session<Record<string, unknown>>

const from = ({ middleware }: Mounted): SessionSource<object> => ({ sessions: () => middleware })

describe('Fastify', () => {
  async function app(mounted: Mounted, prepare: (app: FastifyInstance) => void): Promise<FastifyInstance> {
    const server = fastify()
    await server.register(fastifySessions, { cluster: from(mounted) })
    prepare(server)
    await server.ready()
    return server
  }
  const session = (request: object): Any => Reflect.get(request, 'session') as Any

  it('answers inject(), in contexts of their own as well', async () => {
    const mounted = mount()
    const server = await app(mounted, (root) => {
      root.register(async (child) => {
        child.get('/n', (request, reply) => {
          session(request)['n'] = Number(session(request)['n'] ?? 0) + 1
          return reply.send({ n: session(request)['n'] })
        })
      })
    })
    const first = await server.inject('/n')
    const cookie = String(first.headers['set-cookie']).split(';', 1)[0] ?? ''
    expect((await server.inject({ url: '/n', headers: { cookie } })).json()).toEqual({ n: 2 })
    expect(mounted.counter('commits_total')).toBe(2)
  })

  it('commits what is answered past it, and answers when that fails', async () => {
    const latch = new Latch()
    const mounted = mount({}, (memory) => held(memory, ['create'], latch))
    const server = await app(mounted, (root) => {
      root.get('/raw', (request, reply) => {
        session(request)['n'] = 1
        reply.hijack()
        reply.raw.end('raw')
      })
    })
    const listener: RequestListener = (req, res) => server.routing(req, res)
    const browser = await serve(listener)
    const failing = browser.get('/raw')
    await until(() => expect(latch.waiting).toBe(1))
    latch.fail(new Error('out of order'))
    expect(await failing).toMatchObject({ status: 500, setCookie: [] })
    latch.open()
    expect(await browser.get('/raw')).toMatchObject({ status: 200, body: 'raw', setCookie: [expect.any(String)] })
  })

  it('ends a session that is set to null', async () => {
    const mounted = mount()
    const server = await app(mounted, (root) => {
      root.get('/set', (request, reply) => {
        session(request)['n'] = 1
        return reply.send('set')
      })
      root.get('/end', (request, reply) => {
        Reflect.set(request, 'session', null)
        return reply.send('ended')
      })
    })
    const cookie = String((await server.inject('/set')).headers['set-cookie']).split(';', 1)[0] ?? ''
    expect((await server.inject({ url: '/end', headers: { cookie } })).headers['set-cookie']).toMatch(/^sid=; Max-Age=0/)
    expect(mounted.backend.size().sessions).toBe(0)
  })
})

describe('Koa', () => {
  type Context = KoaContext & WithSession & { respond: boolean; body: unknown }
  interface App {
    silent: boolean
    use(middleware: (ctx: Context, next: () => Promise<unknown>) => unknown): void
    callback(): RequestListener
  }
  const Koa = createRequire(import.meta.url)('koa') as new () => App
  const listener = (mounted: Mounted, answer: (ctx: Context) => void): RequestListener => {
    const app = new Koa()
    app.silent = true
    app.use(koaSessions(from(mounted)))
    app.use(answer)
    return app.callback()
  }

  it('commits what is answered past it, and answers when that fails', async () => {
    const latch = new Latch()
    const mounted = mount({}, (memory) => held(memory, ['create'], latch))
    const browser = await serve(
      listener(mounted, (ctx) => {
        Reflect.set(ctx.session, 'n', 1)
        ctx.respond = false
        ctx.res.statusCode = 200
        ctx.res.end('raw')
      }),
    )
    const failing = browser.get()
    await until(() => expect(latch.waiting).toBe(1))
    latch.fail(new Error('out of order'))
    expect(await failing).toMatchObject({ status: 500, setCookie: [] })
    latch.open()
    expect(await browser.get()).toMatchObject({ status: 200, body: 'raw', setCookie: [expect.any(String)] })
  })

  it('ends a session that is set to null', async () => {
    const mounted = mount()
    const browser = await serve(
      listener(mounted, (ctx) => {
        if (ctx.req.url === '/end') ctx.session = null
        else Reflect.set(ctx.session, 'n', 1)
        ctx.body = 'done'
      }),
    )
    await browser.get('/set')
    expect((await browser.get('/end')).setCookie).toEqual([expect.stringMatching(/^sid=; Max-Age=0/)])
    expect(mounted.backend.size().sessions).toBe(0)
  })
})

describe('a fetch handler', () => {
  const counting = (request: Request): Response => {
    const session: Any = sessionOf(request)
    session['n'] = Number(session['n'] ?? 0) + 1
    return new Response(String(session['n']))
  }
  const ask = (init: { url?: string; cookie?: string } = {}): Request => {
    return new Request(init.url ?? 'http://shop/', init.cookie === undefined ? {} : { headers: { cookie: init.cookie } })
  }
  const make = (options: SessionOptions, handler: (request: Request) => Response | Promise<Response> = counting) => {
    const mounted = mount(options)
    return { ...mounted, answer: withSession(from(mounted), handler) }
  }

  it('gets cookies into responses whose headers cannot be changed', async () => {
    const { answer } = make({}, (request) => {
      counting(request)
      return Response.redirect('http://shop/next', 303)
    })
    const response = await answer(ask())
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe('http://shop/next')
    expect(response.headers.getSetCookie()).toHaveLength(1)
  })

  it('returns the very same response where there is nothing to say', async () => {
    const given = new Response('static')
    const { answer } = make({}, () => given)
    expect(await answer(ask())).toBe(given)
  })

  it.each([[{}, true], [{ trustProxy: false }, true], [{ cookie: { secure: true } }, true], [{ cookie: { secure: false } }, false]] as const)(
    'of https with %j sets a cookie that is Secure: %s',
    async (options, isSecure) => {
      const { answer } = make(options)
      const [cookie = ''] = (await answer(ask({ url: 'https://shop/' }))).headers.getSetCookie()
      expect(cookie.includes('Secure')).toBe(isSecure)
    },
  )

  it('inside another one has one session, and says so', async () => {
    const mounted = mount()
    const inner = withSession(from(mounted), counting)
    const answer = withSession(from(mounted), inner)
    expect((await answer(ask())).headers.getSetCookie()).toHaveLength(1)
    expect(mounted.warnings.map(({ event }) => event)).toEqual(['session-middleware-mounted-twice'])
  })

  it('that throws commits nothing', async () => {
    const { answer, backend } = make({}, (request) => {
      counting(request)
      throw new Error('of the application')
    })
    await expect(answer(ask())).rejects.toThrow('of the application')
    expect(backend.size().sessions).toBe(0)
  })

  it('loads on demand', async () => {
    const { answer } = make({ load: 'on-demand' }, async (request) => {
      expect(() => sessionOf(request)).toThrow('on demand')
      await loadSessionOf(request)
      return counting(request)
    })
    expect(await (await answer(ask())).text()).toBe('1')
  })

  it('that nobody wrapped has no session', () => {
    expect(() => sessionOf(ask())).toThrow('withSession(cluster, …) must be around')
  })

  it('gets what else it is called with', async () => {
    const handler = withSession(from(mount()), (_request, env: { name: string }) => new Response(env.name))
    expect(await (await handler(ask(), { name: 'worker' })).text()).toBe('worker')
  })

  it('lets go of the body of an answer that cannot be given', async () => {
    let isCancelled = false
    const latch = new Latch()
    const mounted = mount({}, (memory) => held(memory, ['create'], latch))
    const answer = withSession(from(mounted), (request) => {
      counting(request)
      return new Response(new ReadableStream({ cancel: () => void (isCancelled = true) }))
    })
    const failing = answer(ask())
    await until(() => expect(latch.waiting).toBe(1))
    latch.fail(new Error('out of order'))
    await expect(failing).rejects.toThrow('out of order')
    expect(isCancelled).toBe(true)
  })
})
