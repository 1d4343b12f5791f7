import { describe, expect, it } from 'vitest'
import { bare, held, json, Latch, mount, remote, serve, until, type Handler } from './support.js'

describe.each([
  ['in process', (memory: Parameters<typeof remote>[0]) => memory],
  ['that answers later', remote],
])('on a backend %s', (_, wrap) => {
  it('requests at the same time that change different attributes lose nothing (T17)', async () => {
    const { middleware } = mount({}, wrap)
    const arrived = { count: 0, latch: new Latch() }
    const handler: Handler = async (req, res) => {
      const name = new URL(req.url ?? '/', 'http://x').searchParams.get('name')
      if (name === null) return json(res, Object.keys(req.session).length)
      // Both have loaded the session before either writes.
      arrived.count++
      await arrived.latch.wait()
      req.session[name] = 'x'
      return void res.end()
    }
    const browser = await serve(bare(middleware, handler))
    arrived.latch.open()
    await browser.get('/?name=first')
    for (let round = 0; round < 50; round++) {
      arrived.latch = new Latch()
      arrived.count = 0
      const pair = [browser.get(`/?name=a${round}`), browser.get(`/?name=b${round}`)]
      await until(() => expect(arrived.count).toBe(2))
      arrived.latch.open()
      await Promise.all(pair)
    }
    expect((await browser.get('/')).body).toBe('101')
  })

  it('a logout is never undone by a request that is still writing (T16)', async () => {
    const { middleware, backend } = mount({}, wrap)
    let latch = new Latch()
    const browser = await serve(
      bare(middleware, async (req, res) => {
        if (req.url === '/login') {
          req.session.user = 'ada'
          await req.session.rotate()
        } else if (req.url === '/logout') await req.session.destroy()
        else if (req.url === '/slow') {
          req.session.n = 1
          await latch.wait()
          req.session.n = 2
        }
        json(res, req.session)
      }),
    )
    for (let round = 0; round < 50; round++) {
      latch = new Latch()
      await browser.get('/login')
      const cookie = `sid=${browser.jar.get('sid')}`
      const slow = browser.get('/slow')
      await until(() => expect(latch.waiting).toBe(1))
      await browser.get('/logout')
      latch.open()

      expect((await slow).setCookie).toEqual([])

      expect((await browser.get('/', { cookie })).body).toBe('{}')
      expect(backend.size().sessions).toBe(0)
    }
  })

  it('the id of before a login is dead for every request that comes after it (T10)', async () => {
    const { middleware } = mount({}, wrap)
    const browser = await serve(
      bare(middleware, async (req, res) => {
        req.session.n ??= 1
        if (req.url === '/login') {
          req.session.user = 'ada'
          await req.session.rotate()
        }
        json(res, req.session)
      }),
    )
    for (let round = 0; round < 50; round++) {
      browser.jar.clear()
      await browser.get('/')
      const fixed = `sid=${browser.jar.get('sid')}`
      await browser.get('/login')
      expect((await browser.get('/', { cookie: fixed })).body).not.toContain('ada')
    }
  })
})

it('a redirect that is followed at once sees the login, though the commit takes its time', async () => {
  const latch = new Latch()
  const { middleware } = mount({}, (memory) => held(memory, ['create', 'rotate', 'save'], latch))
  const browser = await serve(
    bare(middleware, (req, res) => {
      if (req.url === '/home') return json(res, req.session.user ?? 'nobody')
      req.session.user = 'ada'
      return void res.writeHead(302, { Location: '/home' }).end()
    }),
  )
  let followed: Promise<string> | undefined
  const login = browser.get('/login').then((redirect) => {
    followed = browser.get(redirect.headers.location).then(({ body }) => body)
  })
  await until(() => expect(latch.waiting).toBe(1))
  expect((await browser.other().get('/home')).body).toBe('"nobody"')
  expect(followed).toBeUndefined()

  latch.open()
  await login

  expect(await followed).toBe('"ada"')
})
