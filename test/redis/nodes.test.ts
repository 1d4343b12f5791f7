/** Several nodes, a primary with replicas, and sessions that come from other backends. */
import { Cluster, Command, Redis } from 'ioredis'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { LoadResult, PortableSession, SessionBackend, SessionEvent } from '../../src/backend/backend.js'
import { MemoryBackend } from '../../src/backend/memory/memory.js'
import type { RedisTarget } from '../../src/backend/redis/dial.js'
import type { RedisBackend, RedisBackendOptions } from '../../src/backend/redis/redis.js'
import { each, report } from '../support/load.js'
import { RedisServer, until } from '../support/redis.js'
import { encodeValue } from '../../src/session/value.js'
import { age, delta, ids, LIVES, load, openBackend, space, valuesOf } from './support.js'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function started(): Promise<RedisServer> {
  const server = await RedisServer.start()
  cleanups.push(() => server.stop())
  return server
}

async function replicaOf(primary: RedisServer): Promise<RedisServer> {
  const server = await RedisServer.start([['replicaof', '127.0.0.1', String(primary.port)], ['repl-diskless-sync-delay', '0']])
  cleanups.push(() => server.stop())
  await until(async () => String(await server.command('info', 'replication')).includes('master_link_status:up'))
  await until(async () => String(await primary.command('info', 'replication')).includes('state=online'))
  return server
}

async function opened(target: RedisTarget, options: Partial<RedisBackendOptions> = {}): Promise<RedisBackend> {
  const backend = await openBackend(target, options)
  cleanups.push(() => backend.close())
  return backend
}

describe('events', () => {
  it('reach every node, and are local on exactly one', async () => {
    const server = await started()
    const prefix = space()
    const nodes = await Promise.all([0, 1, 2].map(() => opened({ port: server.port }, { prefix })))
    const told = nodes.map(() => new Array<SessionEvent>())
    nodes.forEach((node, i) => node.subscribe((event) => told[i]?.push(event)))
    await until(async () => String(await server.command('pubsub', 'numsub', `${prefix}:events`)) === `${prefix}:events,3`)

    const [a, b, c] = nodes
    const { ref } = (await a?.create(delta({ n: 1 }), LIVES)) ?? { ref: { actor: 0, counter: 0 } }
    await b?.save(ref, { writes: [], principal: 'ada' }, {})
    await c?.rotate(ref, delta({}), {})
    await b?.revoke('ada', {})
    await vi.waitFor(() => told.forEach((events) => expect(events).toHaveLength(4)))

    for (const events of told) {
      expect(events.map(({ type }) => type)).toEqual(['created', 'changed', 'rotated', 'destroyed'])
      for (const event of events) expect(event.ref).toEqual(ref)
    }
    const locals = told.map((events) => events.map(({ local }) => local))
    expect(locals).toEqual([
      [true, false, false, false],
      [false, true, false, true],
      [false, false, true, false],
    ])
  })

  it('what a stranger publishes tells nobody anything', async () => {
    const server = await started()
    const prefix = space()
    const node = await opened({ port: server.port }, { prefix })
    const told: SessionEvent[] = []
    node.subscribe((event) => told.push(event))
    await until(async () => String(await server.command('pubsub', 'numsub', `${prefix}:events`)).endsWith(',1'))
    for (const text of ['', 'x', '1 destroyed 1:1 nonsense', '1 created __proto__', '1 created 1:1:1', '1 created 7:8']) {
      await server.command('publish', `${prefix}:events`, text)
    }
    await vi.waitFor(() => expect(told).toEqual([{ type: 'created', ref: { actor: 7, counter: 8 }, local: false }]))
  })
})

describe('replicas', () => {
  it('a commit can wait for them; what they do not confirm in time is unknown', async () => {
    const primary = await started()
    const replica = await replicaOf(primary)
    const backend = await opened({ port: primary.port })
    const { ref } = await backend.create(delta({ n: 1 }), LIVES)

    for (const acks of ['one', 'quorum', 'all'] as const) {
      expect(await backend.save(ref, delta({ acks }), { acks, withinMs: 5_000 })).toEqual({ outcome: 'done' })
    }
    replica.freeze(true)
    const from = performance.now()
    expect(await backend.save(ref, delta({ n: 2 }), { acks: 'all', withinMs: 200 })).toEqual({ outcome: 'unknown' })
    expect(performance.now() - from).toBeGreaterThan(150)
    expect(await backend.save(ref, delta({ n: 3 }), { acks: 'async' })).toEqual({ outcome: 'done' })
    expect(backend.counters()['session_mesh_outcome_unknown_total']).toBe(1)

    await backend.save(ref, { writes: [], principal: 'ada' }, {})
    expect(await backend.revoke('bob', { acks: 'all', withinMs: 200 })).toEqual({ outcome: 'unknown', sessions: 0 })
    expect(await backend.revoke('ada', { acks: 'one', withinMs: 200 })).toEqual({ outcome: 'unknown', sessions: 1 })
    replica.freeze(false)
    expect(await backend.revoke('ada', { acks: 'all', withinMs: 5_000 })).toEqual({ outcome: 'done', sessions: 0 })
  })

  it('answer loads, but never with less than the browser has seen', async () => {
    const primary = await started()
    const replica = await replicaOf(primary)
    const backend = await opened({ port: primary.port }, { readFrom: 'replica' })
    expect(backend.powers.stamps).toBe(true)
    const { id, ref, seen } = await backend.create(delta({ n: 1 }), LIVES)
    await until(async () => (await backend.load(id, seen, { deadline: Infinity })).state === 'found')
    await vi.waitFor(async () => {
      await backend.load(id, seen, { deadline: Infinity })
      expect(backend.counters()['session_mesh_replica_reads_total']).toBeGreaterThan(0)
    })

    // The replica stays where it is from here on.
    await replica.command('replicaof', 'no', 'one')
    const saved = await backend.save(ref, delta({ n: 2 }), seen === undefined ? {} : { seen })
    const answer = await backend.load(id, saved.seen, { deadline: Infinity })
    const [without, fresh] = [await backend.load(id, undefined, { deadline: Infinity }), await backend.create(delta({}), LIVES)]

    expect(encodedIn(answer)).toEqual(new Uint8Array(encodeValue(2, 'n')))
    expect(encodedIn(without)).toEqual(new Uint8Array(encodeValue(1, 'n')))
    // A login that has not reached the replica is no unknown session.
    expect(await backend.load(fresh.id, undefined, { deadline: Infinity })).toMatchObject({ state: 'found' })
    expect(backend.counters()['session_mesh_replica_behind_total']).toBeGreaterThan(0)
  })
})

function encodedIn(answer: LoadResult): Uint8Array | undefined {
  const bytes = answer.state === 'found' ? answer.session.attributes.get('n') : undefined
  return bytes === undefined ? undefined : new Uint8Array(bytes)
}

it('a commit that is overtaken by a later one of the same node is not missing from what is exported', async () => {
  const server = await started()
  let release = (): void => {}
  const overtaken = new Promise<void>((resolve) => (release = resolve))
  class Slow extends Redis {
    override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
      if (!command.toWritable({}).includes('slow')) return super.sendCommand(command, stream)
      void overtaken.then(() => super.sendCommand(command, stream))
      return command.promise
    }
  }
  const backend = await opened({ port: server.port }, { ioredis: () => Promise.resolve({ Redis: Slow, Cluster, Command }) })
  const { id, ref } = await backend.create(delta({}), LIVES)

  const slow = backend.save(ref, delta({ slow: 1 }), {})
  await backend.save(ref, delta({ quick: 1 }), {})
  const copy = new MemoryBackend({ ids, now: Date.now })
  copy.importOne((await backend.exportOne(ref)) ?? failed('nothing exported'))
  release()
  expect(await slow).toEqual({ outcome: 'done' })

  expect(copy.importOne((await backend.exportOne(ref)) ?? failed('nothing exported'))).toBe('imported')
  expect(copy.digest()).toBe(await backend.digest())
  expect(Object.keys(await valuesOf(backend, id)).sort()).toEqual(['quick', 'slow'])
})

function failed(why: string): never {
  throw new Error(why)
}

describe('sessions from another backend', () => {
  const memory = (): MemoryBackend => new MemoryBackend({ ids, now: Date.now })

  async function move(from: SessionBackend, to: SessionBackend): Promise<readonly PortableSession[]> {
    const sessions: PortableSession[] = []
    for await (const session of from.exportAll()) {
      expect(await to.importOne(session)).toBe('imported')
      sessions.push(session)
    }
    return sessions
  }

  it('keep first ids, later ids and ids that others made, there and back', async () => {
    const server = await started()
    const [near, back] = [memory(), memory()]
    const redis = await opened({ port: server.port })
    const first = near.create(delta({ n: 1 }), LIVES)
    const later = near.rotate(near.create(delta({ n: 2 }), LIVES).ref, delta({ user: 'ada' }))
    const foreign = near.create(delta({ n: 3 }), { ...LIVES, id: 'made-by-somebody-else' })
    await move(near, redis)

    expect(await valuesOf(redis, first.id)).toEqual({ n: 1 })
    expect(await valuesOf(redis, later.id ?? '')).toEqual({ n: 2, user: 'ada' })
    expect(await valuesOf(redis, foreign.id)).toEqual({ n: 3 })
    expect(await redis.digest()).toBe(near.digest())
    await redis.count()
    expect(redis.size().sessions).toBe(3)

    const rotated = await redis.rotate(first.ref, delta({ n: 4 }), {})
    await move(redis, back)
    expect(back.load(rotated.id ?? '')).toMatchObject({ state: 'found', ref: first.ref })
    expect(back.load(first.id)).toMatchObject({ state: 'none' })
    expect(back.digest()).toBe(await redis.digest())
  })

  it.each(['read', 'written'])('is found by an id that was made elsewhere for as long as it is %s there', async (how) => {
    const server = await started()
    const prefix = space()
    const near = memory()
    const redis = await opened({ port: server.port }, { prefix })
    const hour = 3_600_000
    const { ref } = near.create(delta({ n: 0 }), { maxIdleMs: 20 * hour, maxLifeMs: Infinity })
    const { id = '' } = near.rotate(ref, delta({}))
    await move(near, redis)
    for (let n = 1; n <= 10; n++) {
      await age([server], prefix, 13 * hour)
      if (how === 'written') near.save(ref, delta({ n }))
      const session = near.exportOne(ref) ?? failed('nothing exported')
      await redis.importOne({ ...session, touchedAt: Date.now() })
    }
    expect((await load(redis, id)).state).toBe('found')
  })

  it('a later id stops leading to a session that has a new one, or has ended', async () => {
    const server = await started()
    const near = memory()
    const redis = await opened({ port: server.port })
    const [a, b] = [near.create(delta({ n: 1 }), LIVES), near.create(delta({ n: 2 }), LIVES)]
    const [idA, idB] = [near.rotate(a.ref, delta({})).id ?? '', near.rotate(b.ref, delta({})).id ?? '']
    await move(near, redis)
    expect([(await load(redis, idA)).state, (await load(redis, idB)).state]).toEqual(['found', 'found'])

    await redis.rotate(a.ref, delta({}), {})
    await redis.destroy(b.ref, 'destroyed', {})

    expect(await load(redis, idA)).toEqual({ state: 'none', why: 'rotated' })
    expect(await load(redis, idB)).toEqual({ state: 'none', why: 'gone' })
  })

  it('a session whose end was told before it came is refused, and its end is not kept for ever', async () => {
    const server = await started()
    const near = memory()
    const redis = await opened({ port: server.port })
    const { id, ref } = near.create(delta({ n: 1 }), LIVES)

    expect(await redis.destroy(ref, 'logged-out', {})).toEqual({ outcome: 'gone' })

    expect(await redis.importOne(near.exportOne(ref) ?? failed('nothing exported'))).toBe('dead')
    expect(await redis.save(ref, delta({ late: 1 }), {})).toEqual({ outcome: 'gone' })
    expect(await load(redis, id)).toMatchObject({ state: 'none' })
    const client = server.client()
    for (const key of await client.keys('*')) expect(await client.pttl(key)).toBeGreaterThan(0)
    client.disconnect()
  })

  it('the export goes on where it was interrupted', async () => {
    const server = await started()
    const redis = await opened({ port: server.port })
    await each(300, 50, async (n) => void (await redis.create(delta({ n }), LIVES)))
    const all: string[] = []
    let last: string | undefined
    for await (const { birth } of redis.exportAll()) {
      last = `${birth.actor}:${birth.counter}`
      all.push(last)
      if (all.length === 123) break
    }
    for await (const { birth } of redis.exportAll(last)) all.push(`${birth.actor}:${birth.counter}`)
    expect(all).toHaveLength(300)
    expect(new Set(all).size).toBe(300)
  })

  it('read-through on three nodes and logout, 10,000 times: none is alive afterwards', async () => {
    const server = await started()
    const prefix = space()
    const nodes = await Promise.all([0, 1, 2].map(() => opened({ port: server.port }, { prefix })))
    const [one] = nodes
    if (one === undefined) throw new Error('no node')
    const near = memory()
    let alive = 0
    await each(10_000, 50, async () => {
      const { id, ref } = near.create({ ...delta({ n: 1 }), principal: 'ada' }, LIVES)
      const copy = near.exportOne(ref)
      if (copy === undefined) throw new Error('not exported')
      await one.importOne(copy)
      await Promise.all([one.destroy(ref, 'logged-out', {}), ...nodes.map((node) => node.importOne(copy))])
      if ((await load(one, id)).state === 'found') alive++
    })
    report('10,000 logouts during read-through on three nodes', { alive })
    expect(alive).toBe(0)
  })
})
