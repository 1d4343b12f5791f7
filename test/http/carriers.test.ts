import { describe, expect, it } from 'vitest'
import { resolveSession } from '../../src/config/config.js'
import { ConfigError } from '../../src/errors.js'
import { bearer, composite, cookie, header } from '../../src/http/carriers/carriers.js'
import { resolveSessionOptions, type SessionOptions } from '../../src/http/options.js'
import { bare, json, mount, remote, routes, serve, type Answer, type Client, type Mounted } from './support.js'

const shop = routes({
  '/set': (req, res) => {
    req.session.user = 'ada'
    res.end('set')
  },
  '/get': (req, res) => json(res, req.session),
  '/rotate': async (req, res) => {
    await req.session.rotate()
    res.end('rotated')
  },
  '/out': async (req, res) => {
    await req.session.destroy()
    res.end('out')
  },
})

async function site(options: SessionOptions, mounted: Mounted = mount(options)): Promise<Client> {
  return await serve(bare(mounted.middleware, shop))
}

const tokenOf = (answer: Answer): string => String(answer.headers['x-auth-token'] ?? '')

/** How one client brings its id, and where it finds a new one. */
const clients = [
  ['header()', { carrier: header() }, (id: string) => ({ 'X-Auth-Token': id }), 'x-auth-token'],
  ['header() of another name', { carrier: header('X-Sid') }, (id: string) => ({ 'x-sid': id }), 'x-sid'],
  ['bearer()', { carrier: bearer() }, (id: string) => ({ Authorization: `Bearer ${id}` }), 'x-auth-token'],
  ['the last of composite()', { carrier: composite(cookie(), bearer(), header('X-Sid')) }, (id: string) => ({ 'x-sid': id }), 'x-sid'],
] as const

describe.each(clients)('a client of %s', (_, options, bring, answered) => {
  it('gets its id in a header when there is one, and is told when it changes and when it ends', async () => {
    const client = await site(options)
    const first = await client.send({ path: '/set', headers: bring('') })
    const id = String(first.headers[answered])
    expect(id).toMatch(/^[\w-]{48}$/)
    expect(first.setCookie).toEqual([])
    expect(first.headers['cache-control']).toBe('no-store')

    const read = await client.send({ path: '/get', headers: bring(id) })
    expect(read.body).toBe('{"user":"ada"}')
    expect(read.headers).not.toHaveProperty(answered)
    expect(read.headers).not.toHaveProperty('cache-control')

    const rotated = await client.send({ path: '/rotate', headers: bring(id) })
    const newId = String(rotated.headers[answered])
    expect(newId).toMatch(/^[\w-]{48}$/)
    expect(newId).not.toBe(id)
    expect((await client.send({ path: '/get', headers: bring(id) })).body).toBe('{}')
    expect((await client.send({ path: '/get', headers: bring(newId) })).body).toBe('{"user":"ada"}')

    const out = await client.send({ path: '/out', headers: bring(newId) })
    expect(out.headers[answered]).toBe('')
    expect(out.setCookie).toEqual([])
    expect((await client.send({ path: '/get', headers: bring(newId) })).body).toBe('{}')
  })
})

describe('an id', () => {
  it('in the address, in a header or in another cookie is no id where cookies carry them (T31, H10)', async () => {
    const { middleware, counter } = mount()
    const client = await serve(bare(middleware, shop))
    const { setCookie } = await client.send({ path: '/set' })
    const [, id = ''] = /^sid=([^;]+)/.exec(setCookie[0] ?? '') ?? []
    for (const elsewhere of [
      { path: `/get?sid=${id}&_s=${id}` },
      { path: `/get;sid=${id}` },
      { path: '/get', headers: { 'X-Auth-Token': id } },
      { path: '/get', headers: { Authorization: `Bearer ${id}` } },
      { path: '/get', headers: { Cookie: `token=${id}; sid2=${id}` } },
    ]) {
      const { body, status } = await client.send(elsewhere)
      expect(body === '{}' || status === 404, elsewhere.path).toBe(true)
    }
    expect(counter('sessions_found_total')).toBe(0)
    expect((await client.send({ path: '/get', cookie: `sid=${id}` })).body).toBe('{"user":"ada"}')
  })

  it('in a cookie is no id where headers carry them', async () => {
    const client = await site({ carrier: header() })
    const id = tokenOf(await client.send({ path: '/set' }))
    expect((await client.send({ path: '/get', cookie: `sid=${id}` })).body).toBe('{}')
    expect((await client.send({ path: '/get', headers: { Authorization: `Bearer ${id}` } })).body).toBe('{}')
  })

  it.each([`Bearer ${'A'.repeat(48)} x`, 'Bearer', 'bearer ', 'Basic YTpi', `Bearer\t${'A'.repeat(48)}`])(
    'is not found in Authorization: %j',
    async (authorization) => {
      const { middleware, counter } = mount({ carrier: bearer() })
      const client = await serve(bare(middleware, shop))
      expect((await client.send({ path: '/get', headers: { authorization } })).body).toBe('{}')
      expect(counter('sessions_not_found_total{why="unknown"}')).toBe(0)
    },
  )

  it('may be one of four that a header holds; a fifth is not looked up (T14, H7)', async () => {
    const client = await site({ carrier: header() })
    const id = tokenOf(await client.send({ path: '/set' }))
    const others = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(48))
    const get = async (ids: readonly string[]): Promise<string> => {
      return (await client.send({ path: '/get', headers: { 'X-Auth-Token': ids.join(', ') } })).body
    }
    expect(await get([...others.slice(1), id])).toBe('{"user":"ada"}')
    expect(await get([...others, id])).toBe('{}')
  })
})

describe('of several carriers', () => {
  const carrier = composite('cookie', 'bearer')

  it.each([
    ['', (mounted: Mounted) => mounted],
    [' behind a slow backend', (mounted: Mounted) => mounted],
  ])('a request is answered by the one it came by%s', async (slow) => {
    const mounted = slow === '' ? mount({ carrier }) : mount({ carrier }, remote)
    const client = await site({}, mounted)
    const browser = await client.send({ path: '/set' })
    expect(browser.setCookie).toHaveLength(1)
    expect(browser.headers).not.toHaveProperty('x-auth-token')

    const api = await client.send({ path: '/set', headers: { Authorization: 'Bearer none' } })
    expect(api.setCookie).toEqual([])
    const id = tokenOf(api)
    const stale = `sid=${'A'.repeat(48)}`
    const rotated = await client.send({ path: '/rotate', cookie: stale, headers: { Authorization: `Bearer ${id}` } })
    expect(rotated.setCookie).toEqual([])
    expect(tokenOf(rotated)).toMatch(/^[\w-]{48}$/)
  })

  it('each that brought an id is told of the end', async () => {
    const client = await site({ carrier })
    const id = tokenOf(await client.send({ path: '/set', headers: { Authorization: 'Bearer none' } }))
    const out = await client.send({ path: '/out', cookie: `sid=${id}`, headers: { Authorization: `Bearer ${id}` } })
    expect(out.setCookie).toEqual([expect.stringMatching(/^sid=; Max-Age=0/)])
    expect(out.headers['x-auth-token']).toBe('')
  })

  it('ids are looked up in their order, four in all', async () => {
    const { middleware, counter } = mount({ carrier: composite('bearer', 'cookie') })
    const client = await serve(bare(middleware, shop))
    const cookies = ['b', 'c', 'd', 'e'].map((letter) => `sid=${letter.repeat(48)}`).join('; ')
    const id = tokenOf(await client.send({ path: '/set' }))
    const headers = { Authorization: `Bearer ${id}` }
    expect((await client.send({ path: '/get', cookie: cookies, headers })).body).toBe('{"user":"ada"}')
    const fake = { Authorization: `Bearer ${'a'.repeat(48)}` }
    const [, real = ''] = /^sid=([^;]+)/.exec((await client.send({ path: '/set', cookie: 'sid=' })).setCookie[0] ?? '') ?? []
    const fifth = ['b', 'c', 'd'].map((letter) => `sid=${letter.repeat(48)}`).join('; ')
    expect((await client.send({ path: '/get', cookie: `${fifth}; sid=${real}`, headers: fake })).body).toBe('{}')
    expect(counter('sessions_found_total')).toBe(1)
  })
})

describe('what a client without cookies has seen', () => {
  it('travels in a header beside the id, whole every time', async () => {
    const given: unknown[] = []
    let slot = 0
    const mounted = mount({ carrier: header() }, (memory) => {
      const load = memory.load.bind(memory)
      const create = memory.create.bind(memory)
      const save = memory.save.bind(memory)
      return Object.assign(memory, {
        load: (id: string, seen: unknown) => {
          given.push(seen)
          return load(id)
        },
        create: (...args: Parameters<typeof create>) => {
          return { ...create(...args), seen: new Map([['0', 'token-0']]) }
        },
        save: (...args: Parameters<typeof save>) => {
          slot++
          return { ...save(...args), seen: new Map([[String(slot), `token-${slot}`]]) }
        },
      })
    })
    const client = await serve(
      bare(mounted.middleware, async (req, res) => {
        req.session.n = (req.session.n ?? 0) + 1
        if (req.url === '/twice') await req.session.commit()
        if (req.url === '/twice') req.session.n++
        res.end()
      }),
    )
    const first = await client.send({})
    const id = tokenOf(first)
    expect(first.headers['x-auth-token-seen']).toBe('0=token-0')

    const second = await client.send({ path: '/twice', headers: { 'X-Auth-Token': id, 'X-Auth-Token-Seen': '0=token-0' } })
    expect(second.headers['x-auth-token-seen']).toBe('0=token-0, 1=token-1, 2=token-2')
    expect(second.headers['cache-control']).toBe('no-store')
    await client.send({ headers: { 'X-Auth-Token': id, 'X-Auth-Token-Seen': '0=token-0,1=token-1, ?=x, 2' } })
    expect(given).toEqual([new Map([['0', 'token-0']]), new Map([['0', 'token-0'], ['1', 'token-1']])])
  })
})

describe('options', () => {
  const problems = (read: () => unknown): readonly string[] => {
    try {
      read()
    } catch (error) {
      if (error instanceof ConfigError) return error.problems
      throw error
    }
    return []
  }
  const limits = { sessions: 1, sessionBytes: 1_024, attributes: 1 }

  it.each<[unknown, string]>([
    ['cookies', 'unknown carrier, did you mean cookie?'],
    [{ headers: 'X-A' }, 'unknown carrier headers, did you mean header?'],
    [{ header: 'Authorization' }, 'Authorization has a meaning of its own'],
    [{ header: 'x y' }, 'not a name for a header'],
    [{ header: 'X-Ünlaut' }, 'not a name for a header'],
    [[], 'a list of 0 carriers'],
    [['cookie', 'bearer', 'cookie'], 'the same carrier twice'],
    [[{ header: 'X-A' }, { header: 'x-a' }], 'the same carrier twice'],
    [7, 'wrong type'],
  ])('refuse the carrier %j: %s', (carrier, problem) => {
    expect(problems(() => resolveSessionOptions({ carrier } as SessionOptions))).toEqual([`carrier: ${problem}`])
    expect(problems(() => resolveSession({ carrier }, limits))).toEqual([
      expect.stringMatching(/^carrier: .* \(got .*, expected "cookie", "bearer", /),
    ])
    expect(problems(() => resolveSession({ carrier }, limits))[0]).toContain(problem)
  })

  it('take each carrier, and lists of them', () => {
    for (const carrier of ['cookie', 'bearer', { header: 'X-A' }, ['cookie', { header: 'X-A' }]]) {
      expect(resolveSession({ carrier }, limits).carriers).toEqual([carrier].flat())
    }
  })
})
