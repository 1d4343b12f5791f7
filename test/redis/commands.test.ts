/** What reaches the server, as MONITOR sees it; and how it is stored, as redis-cli would show it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Redis } from 'ioredis'
import type { RedisBackend } from '../../src/backend/redis/redis.js'
import { RegisterKind } from '../../src/session/session.js'
import { encodeValue } from '../../src/session/value.js'
import { each, report } from '../support/load.js'
import { RedisServer } from '../support/redis.js'
import { age, delta, LIVES, load, openBackend, space, valuesOf } from './support.js'

let server: RedisServer
let client: Redis
let prefix: string
let backend: RedisBackend

beforeAll(async () => {
  server = await RedisServer.start()
  client = server.client()
})
afterAll(async () => {
  client.disconnect()
  await server.stop()
})
beforeEach(async () => {
  prefix = space()
  backend = await openBackend({ port: server.port }, { prefix })
})
afterEach(async () => {
  await backend.close()
})

/** The commands of `work`: what clients sent, and what scripts did in turn. */
async function watched(work: () => Promise<unknown>): Promise<{ readonly sent: string[][]; readonly inside: string[][] }> {
  const monitor = await server.client().monitor()
  const seen: { readonly args: string[]; readonly source: string }[] = []
  monitor.on('monitor', (_time: string, args: string[], source: string) => seen.push({ args, source }))
  await work()
  await client.echo('over')
  await vi.waitFor(() => expect(seen.some(({ args }) => args[1] === 'over')).toBe(true))
  monitor.disconnect()
  const ours = seen.filter(({ args }) => args[1] !== 'over' && !/^(info|select)$/i.test(args[0] ?? ''))
  return {
    sent: ours.filter(({ source }) => source !== 'lua').map(({ args }) => args),
    inside: ours.filter(({ source }) => source === 'lua').map(({ args }) => args),
  }
}

describe('on the wire', () => {
  it('a load is one command', async () => {
    const { id } = await backend.create(delta({ n: 1 }), LIVES)
    await load(backend, id)

    const { sent } = await watched(() => load(backend, id))

    expect(sent).toHaveLength(1)
    expect(sent[0]?.[0]).toBe('HGETALL')
  })

  it.each(['allkeys-lru', 'volatile-ttl'])('under %s a load is one command too: a script that looks whether all is there', async (policy) => {
    await client.config('SET', 'maxmemory-policy', policy)
    const careful = await openBackend({ port: server.port }, { prefix })
    const { id } = await careful.create(delta({ n: 1 }), LIVES)
    await load(careful, id)

    const { sent } = await watched(() => load(careful, id))

    expect(sent).toHaveLength(1)
    expect(sent[0]?.[0]).toMatch(/evalsha/i)
    await client.config('SET', 'maxmemory-policy', 'noeviction')
    await careful.close()
  })

  it('commands of one turn leave together', async () => {
    const { id } = await backend.create(delta({ n: 1 }), LIVES)
    const reads = async (): Promise<number> => Number(/total_reads_processed:(\d+)/.exec(await client.info('stats'))?.[1])
    const before = await reads()
    await Promise.all(Array.from({ length: 50 }, () => load(backend, id)))
    // One read of the socket for all of them, and those of asking for the counts.
    expect((await reads()) - before).toBeLessThan(5)
  })

  it('a commit that changes one of 50 attributes is one script that writes one of them', async () => {
    const attributes = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`n${i}`, i]))
    const { ref } = await backend.create(delta(attributes), LIVES)
    await backend.save(ref, delta({ n7: 'before' }), {})

    const { sent, inside } = await watched(() => backend.save(ref, delta({ n7: 'changed' }), {}))

    expect(sent).toHaveLength(1)
    const written = inside.filter(([name]) => /^hset$/i.test(name ?? '')).flat()
    expect(written.filter((word) => word.startsWith('sessionAttr:'))).toEqual(['sessionAttr:n7'])
  })

  it('a commit soon after a noted access moves no deadline, a later one moves all', async () => {
    const lists = (inside: string[][]): number => inside.filter(([name]) => /^(pexpireat|zadd)$/i.test(name ?? '')).length
    const { ref } = await backend.create({ ...delta({ n: 1 }), principal: 'ada' }, LIVES)
    await backend.save(ref, delta({ n: 2 }), {})

    const soon = await watched(() => backend.save(ref, delta({ n: 3 }), {}))
    await age([server], prefix, 600_000)
    const later = await watched(() => backend.save(ref, delta({ n: 4 }), {}))

    expect(lists(soon.inside)).toBe(0)
    // Both keys and the index of the principal; the list of the living and that index.
    expect(lists(later.inside)).toBe(5)
    for (const key of await client.keys(`${prefix}:*`)) {
      if (!key.includes(':live:')) expect(Math.abs((await client.pttl(key)) - LIVES.maxIdleMs)).toBeLessThan(2_000)
    }
  })

  it('an attribute that comes back is not remembered as removed', async () => {
    const { ref } = await backend.create(delta({ a: 1, b: 1 }), LIVES)
    const removed = async (): Promise<string | null> => await client.hget((await client.keys(`${prefix}:births:*`))[0] ?? '', 'removed')
    await backend.save(ref, delta({ a: undefined, b: undefined }), {})
    expect(await removed()).toBe('2')
    await backend.save(ref, delta({ a: 2, c: 1 }), {})
    expect(await removed()).toBe('1')
  })

  it('a rotation, a logout and a touch are one script each', async () => {
    const { ref } = await backend.create(delta({}), LIVES)
    await everyScriptIsKnown(backend)
    expect((await watched(() => backend.rotate(ref, delta({ user: 'ada' }), {}))).sent).toHaveLength(1)
    await client.hset(await sessionKey(), 'lastAccessedTime', 1)
    await client.hset(await sessionKey(), 'maxInactiveInterval', -1)

    const touching = await watched(async () => {
      backend.touch(ref, Date.now())
      await vi.waitFor(async () => expect(Number(await client.hget(await sessionKey(), 'lastAccessedTime'))).toBeGreaterThan(1))
    })
    expect(touching.sent.filter(([name]) => /^eval/i.test(name ?? ''))).toHaveLength(1)
    expect((await watched(() => backend.destroy(ref, 'destroyed', {}))).sent).toHaveLength(1)
  })

  it('goes on after SCRIPT FLUSH', async () => {
    const { id, ref } = await backend.create(delta({ n: 1 }), LIVES)
    await client.script('FLUSH')
    expect(await valuesOf(backend, id)).toEqual({ n: 1 })
    expect(await backend.save(ref, delta({ n: 2 }), { acks: 'all' })).toMatchObject({ outcome: 'done' })
  })
})

/** A server learns each script once. */
async function everyScriptIsKnown(one: RedisBackend): Promise<void> {
  const { ref } = await one.create(delta({}), LIVES)
  one.touch(ref, Date.now())
  await one.save(ref, delta({}), {})
  await one.destroy(ref, 'destroyed', {})
}

async function sessionKey(): Promise<string> {
  const keys = await client.keys(`${prefix}:sessions:*`)
  for (const key of keys) if ((await client.hexists(key, 'creationTime')) === 1) return key
  throw new Error('no session')
}

describe('in the keyspace', () => {
  it("a session is a hash in Spring Session's layout that ends by itself", async () => {
    const thirtyDays = 2_592_000_000
    await backend.create({ ...delta({ name: 'ada' }), principal: 'ada' }, { maxIdleMs: thirtyDays, maxLifeMs: Infinity })
    const key = await sessionKey()

    expect(key).toMatch(new RegExp(`^${prefix}:sessions:\\{\\d+\\}:[\\w-]{22}$`))
    expect(await client.hgetall(key)).toMatchObject({
      creationTime: expect.stringMatching(/^\d{13}$/),
      lastAccessedTime: expect.stringMatching(/^\d{13}$/),
      maxInactiveInterval: '2592000',
      principal: 'ada',
      'sessionAttr:name': expect.stringContaining('ada'),
    })
    expect(Math.abs((await client.pttl(key)) - thirtyDays)).toBeLessThan(1_000)
  })

  it('with the option json, values can be read; without it, both are understood', async () => {
    const json = await openBackend({ port: server.port }, { prefix, json: true })
    const values = { user: { name: 'ada', roles: ['a'] }, n: 7, big: 12n, when: new Date(0), text: '{"a":1}', none: null }
    const { id, ref } = await json.create(delta(values), LIVES)
    const fields = await client.hgetall(await sessionKey())

    expect(fields['sessionAttr:user']).toBe('{"name":"ada","roles":["a"]}')
    expect(fields['sessionAttr:n']?.trim()).toBe('7')
    expect(await valuesOf(backend, id)).toEqual(values)
    await backend.save(ref, delta({ n: 55 }), {})
    expect(await valuesOf(json, id)).toEqual({ ...values, n: 55 })
    await json.close()
  })

  it.each([
    ['never', Infinity, -1],
    ['in 1.5 s', 1_500, 1_500],
    ['at once', 0, -2],
    ['before it began', -5_000, -2],
  ])('a session that ends %s has that time to live', async (_when, maxIdleMs, ttl) => {
    const { id } = await backend.create(delta({ n: 1 }), { maxIdleMs, maxLifeMs: Infinity })
    const keys = await client.keys(`${prefix}:{sessions,births}:*`)
    const all = [...(await client.keys(`${prefix}:sessions:*`)), ...(await client.keys(`${prefix}:births:*`)), ...keys]
    for (const key of all) {
      const left = await client.pttl(key)
      expect(Math.abs(left - ttl)).toBeLessThan(500)
    }
    expect(all.length > 0).toBe(ttl !== -2)
    expect((await load(backend, id)).state).toBe(ttl === -2 ? 'none' : 'found')
  })

  it('names and values that mean something to Redis or Lua are plain data', async () => {
    const values = { 'a b': 1, 'x\'"': "');redis.call('FLUSHALL')--", '{1}': '{1}', 'é:r:v:': 'inf', '%s': 'nil' }
    const { id } = await backend.create(delta(values), LIVES)
    expect(await valuesOf(backend, id)).toEqual(values)
  })

  it('a session whose key was evicted is no session, and leaves nothing behind', async () => {
    const { id, ref } = await backend.create({ ...delta({ n: 1 }), principal: 'ada' }, LIVES)
    await client.del(await sessionKey())

    expect(await load(backend, id)).toMatchObject({ state: 'none' })
    expect(await backend.save(ref, delta({ n: 2 }), {})).toMatchObject({ outcome: 'gone' })
    expect(await backend.find('ada')).toEqual([])
    for (const key of await client.keys(`${prefix}:*`)) expect(await client.pttl(key)).toBeGreaterThan(0)
  })

  it('a session whose birth was evicted is no session', async () => {
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    const { id, ref } = await backend.create(delta({ n: 1 }), LIVES)
    await backend.count()
    for (const key of await client.keys(`${prefix}:births:*`)) await client.del(key)
    expect(await load(backend, id)).toMatchObject({ state: 'none' })
    expect(await backend.save(ref, delta({ n: 2 }), {})).toMatchObject({ outcome: 'gone' })
    await client.config('SET', 'maxmemory-policy', 'noeviction')
  })

  it('a server that has evicted something is not trusted again when it stops evicting', async () => {
    const evicting = await RedisServer.start([['maxmemory-policy', 'allkeys-random']])
    const other = evicting.client()
    const one = await openBackend({ port: evicting.port }, { prefix })
    await other.set('filler', 'x'.repeat(1_000_000))
    await other.config('SET', 'maxmemory', 1)
    await vi.waitFor(async () => expect(await other.dbsize()).toBe(0))
    await other.config('SET', 'maxmemory', 0)
    await other.config('SET', 'maxmemory-policy', 'noeviction')
    await one.count()
    const { id } = await one.create(delta({ n: 1 }), LIVES)
    for (const key of await other.keys(`${prefix}:births:*`)) await other.del(key)

    expect(await load(one, id)).toMatchObject({ state: 'none' })
    other.disconnect()
    await one.close()
    await evicting.stop()
  })

  it('sessions that expired leave the lists when they are counted, and one node tells', async () => {
    const told: string[] = []
    backend.subscribe((event) => told.push(`${event.type} ${event.local}`))
    await backend.create(delta({ n: 1 }), { maxIdleMs: 30, maxLifeMs: Infinity })
    await vi.waitFor(async () => {
      await backend.count()
      expect(told).toEqual(['created true', 'expired true'])
    })
    expect(backend.size()).toEqual({ sessions: 0, bytes: 0 })
    await vi.waitFor(async () => expect(await client.keys(`${prefix}:*`)).toEqual([]))
  })
})

describe('races', () => {
  it('10,000 logouts under in-flight saves, touches and rotations: none revived, no key that stays', async () => {
    const other = await openBackend({ port: server.port }, { prefix })
    let revived = 0
    let lateSaves = 0
    await each(10_000, 50, async () => {
      const { id, ref } = await backend.create(delta({ user: 'ada' }), LIVES)
      const [, rotated, ...saves] = await Promise.all([
        backend.destroy(ref, 'logged-out', {}),
        other.rotate(ref, delta({ late: 0 }), {}),
        other.save(ref, delta({ late: 1 }), {}),
        backend.save(ref, delta({ late: 2 }), {}),
        Promise.resolve(other.touch(ref, Date.now())).then(() => other.save(ref, delta({ late: 3 }), {})),
      ])
      lateSaves += saves.filter(({ outcome }) => outcome === 'gone').length
      for (const name of [id, rotated.id ?? id]) if ((await load(other, name)).state === 'found') revived++
    })

    const staying: string[] = []
    for await (const keys of client.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
      for (const key of keys as string[]) if ((await client.pttl(key)) < 0) staying.push(key)
    }
    report('10,000 logouts under in-flight saves', { revived, lateSaves, staying: staying.length })
    expect({ revived, staying }).toEqual({ revived: 0, staying: [] })
    expect(lateSaves).toBeGreaterThan(0)
    await other.close()
  })

  it('500 additions at once from two nodes come to 500', async () => {
    const other = await openBackend({ port: server.port }, { prefix, timeoutMs: 5_000 })
    const { id, ref } = await backend.create(delta({}), LIVES)
    const one = { writes: [{ name: 'n', kind: RegisterKind.counter, value: encodeValue(1, 'n') }] }
    await each(500, 20, async (i) => void (await (i % 2 === 0 ? backend : other).save(ref, one, {})))
    expect(await valuesOf(backend, id)).toEqual({ n: 500 })
    await other.close()
  })

  it('a save that has loaded the session before a rotation on another node lands', async () => {
    const other = await openBackend({ port: server.port }, { prefix })
    let lost = 0
    await each(1_000, 20, async (i) => {
      const { ref } = await backend.create(delta({}), LIVES)
      const [rotated, saved] = await Promise.all([backend.rotate(ref, delta({ user: i }), {}), other.save(ref, delta({ cart: i }), {})])
      const values = await valuesOf(other, rotated.id ?? '')
      if (saved.outcome !== 'done' || values['cart'] !== i || values['user'] !== i) lost++
    })
    expect(lost).toBe(0)
    await other.close()
  })
})
