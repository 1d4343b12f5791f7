import { describe, expect, it } from 'vitest'
import { BackendError } from '../../src/errors.js'
import { bare, held, json, Latch, mount, remote, serve, until } from './support.js'

const inATurn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve))

describe.each([
  ['in process', (memory: Parameters<typeof remote>[0]) => memory],
  ['on another machine', remote],
])("flush: 'immediate', with a backend %s", (_, wrap) => {
  it('writes what is assigned in the same turn, once, long before the response', async () => {
    const mounted = mount({ flush: 'immediate' }, wrap)
    const saves = (): unknown => mounted.backend.counters()['session_mesh_sessions_saved_total']
    const latch = new Latch()
    const browser = await serve(
      bare(mounted.middleware, async (req, res) => {
        req.session.user = 'ada'
        req.session.n = (req.session.n ?? 0) + 1
        await latch.wait()
        res.end()
      }),
    )
    const first = browser.get()
    await until(() => expect(mounted.backend.size().sessions).toBe(1))
    latch.open()
    expect((await first).setCookie).toHaveLength(1)
    expect(saves()).toBe(0)
    latch.close()

    const second = browser.get()
    await until(() => expect(saves()).toBe(1))
    latch.open()
    await second
    expect(saves()).toBe(1)
  })

  it('writes once for every turn in which something is assigned', async () => {
    const mounted = mount({ flush: 'immediate' }, wrap)
    const { counter } = mounted
    const browser = await serve(
      bare(mounted.middleware, async (req, res) => {
        for (const n of [1, 2, 3]) {
          req.session.n = n
          req.session.user = `user ${n}`
          await until(() => expect(counter('commits_total')).toBe(n))
        }
        res.end()
      }),
    )
    expect((await browser.get()).status).toBe(200)
    expect(counter('commits_total')).toBe(3)
  })

  it('still finds what was changed in place, before the response', async () => {
    const mounted = mount({ flush: 'immediate' }, wrap)
    const browser = await serve(
      bare(mounted.middleware, async (req, res) => {
        req.session.cart ??= { items: [] }
        await inATurn()
        req.session.cart.items.push(1)
        json(res, req.session.cart)
      }),
    )
    await browser.get()
    expect((await browser.get()).body).toBe('{"items":[1,1]}')
  })

  it('tells what failed when the response is about to leave', async () => {
    const { middleware } = mount({ flush: 'immediate' }, wrap)
    const browser = await serve(
      bare(middleware, async (req, res) => {
        req.session.cart = { items: [() => 1] }
        await inATurn()
        res.end('not this')
      }),
    )
    expect(await browser.get()).toMatchObject({ status: 500, body: expect.stringContaining('session.cart.items[0]') })
  })

  it("throws once where the session has ended meanwhile (onGone: 'throw')", async () => {
    const mounted = mount({ flush: 'immediate', onGone: 'throw' }, wrap)
    const latch = new Latch()
    const browser = await serve(
      bare(mounted.middleware, async (req, res) => {
        if (req.url === '/out') await req.session.destroy()
        else req.session.n = 1
        if (req.url === '/slow') {
          await latch.wait()
          req.session.n = 2
          await inATurn()
          await inATurn()
        }
        res.end('done')
      }),
    )
    await browser.get('/')
    const slow = browser.get('/slow')
    await until(() => expect(latch.waiting).toBe(1))
    await browser.other().get('/out', { cookie: `sid=${browser.jar.get('sid')}` })
    latch.open()
    expect(await slow).toMatchObject({ status: 500, body: expect.stringContaining('ended while this request ran') })
    expect(mounted.counter('commits_gone_total')).toBe(1)
  })
})

describe("flush: 'commit'", () => {
  it('is the default: nothing is written before the response leaves', async () => {
    const { middleware, backend } = mount()
    const latch = new Latch()
    const browser = await serve(
      bare(middleware, async (req, res) => {
        req.session.n = 1
        await latch.wait()
        res.end()
      }),
    )
    const answer = browser.get()
    await until(() => expect(latch.waiting).toBe(1))
    await inATurn()
    expect(backend.size().sessions).toBe(0)
    latch.open()
    await answer
    expect(backend.size().sessions).toBe(1)
  })
})

describe('a backend that is out of order for a moment', () => {
  it("costs nothing with flush: 'immediate': the commit before the response tries again", async () => {
    const latch = new Latch()
    const mounted = mount({ flush: 'immediate' }, (memory) => held(memory, ['create'], latch))
    const browser = await serve(
      bare(mounted.middleware, async (req, res) => {
        req.session.n = 1
        await until(() => expect(latch.waiting).toBe(1))
        latch.fail(new BackendError('out of order'))
        latch.open()
        await inATurn()
        res.end()
      }),
    )
    expect(await browser.get()).toMatchObject({ status: 200, setCookie: [expect.stringMatching(/^sid=/)] })
    expect(mounted.backend.size().sessions).toBe(1)
  })
})
