import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { SeenTokens, SessionBackend } from '../../src/backend/backend.js'
import type { RedisBackend } from '../../src/backend/redis/redis.js'
import type { TieredBackend } from '../../src/backend/tiered/tiered.js'
import { createCluster } from '../../src/cluster.js'
import { LoopbackHub } from '../../src/transport/loopback.js'
import { backendContract, type BackendUnderTest, type ContractOptions } from '../backend/contract.js'
import { moveUnderLoad } from '../backend/tiered/moving.js'
import {
  delta, digestsAgree, LIVES, load, memory, replicatedNode, tiered, tieredNodes, turns, valuesIn, valuesOf, type Nodes,
} from '../backend/tiered/support.js'
import { RedisServer } from '../support/redis.js'
import { LeapingClock, Shifted } from './shifted.js'
import { age, backendOf, openBackend, space } from './support.js'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(async () => {
  await server.stop()
})

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

const clock = { now: Date.now, advance: (): void => {} }
const target = (): { port: number } => ({ port: server.port })

async function nodes(size: number, prefix: string, port = server.port): Promise<Nodes> {
  const far = (): RedisBackend => backendOf({ port }, { prefix, onUnreachable: 'wait', timeoutMs: 500 })
  const all = await tieredNodes(size, far, clock as never)
  closing.push(all.close)
  return all
}

/** Nodes have a clock of their own here: when it is put forward, what Redis holds becomes older (Shifted). */
async function contracted(mode: 'write-behind' | 'near-cache' | 'both', { sessions }: ContractOptions = {}): Promise<BackendUnderTest> {
  const opened: TieredBackend[] = []
  const held: RedisBackend[] = []
  const nodeClock = new LeapingClock('runs')
  const open = async (prefix: string, limits: ContractOptions): Promise<TieredBackend> => {
    const near = memory(nodeClock.now, mode === 'near-cache' ? undefined : limits.sessions)
    const redis = backendOf(target(), { prefix, limits })
    held.push(redis)
    const far = new Shifted(redis, nodeClock)
    const backend = tiered(near, far, nodeClock as never, { mode })
    opened.push(backend)
    await backend.open()
    await backend.ready()
    return backend
  }
  const prefix = space()
  const write = await open(prefix, sessions === undefined ? {} : { sessions })
  return {
    write,
    read: write,
    now: nodeClock.now,
    advance: async (ms) => {
      await Promise.all(opened.map((each) => each.flush()))
      await nodeClock.leap(async (forward) => {
        forward(ms)
        await age([server], prefix, ms)
      })
    },
    settle: async () => {
      await turns(2)
      await Promise.all(held.map((redis) => redis.count().catch(() => {})))
    },
    fresh: async () => await open(space(), {}),
    close: async () => void (await Promise.all(opened.map((each) => each.close()))),
  }
}

backendContract('tiered, write-behind over Redis,', (limits) => contracted('write-behind', limits))
backendContract('tiered, both over Redis,', (limits) => contracted('both', limits))
backendContract('tiered, near-cache over Redis,', (limits) => contracted('near-cache', limits))

describe('Redis behind replicated memory', () => {
  it('is killed under load without one request failing, and holds everything afterwards', { timeout: 60_000 }, async () => {
    const own = await RedisServer.start()
    closing.push(() => own.stop())
    const prefix = space()
    const { tiers } = await nodes(2, prefix, own.port)
    const counts = { requests: 0, failed: 0 }
    const crowdIs = { over: false }
    const ids: string[] = []
    const browser = async (number: number): Promise<void> => {
      const { id, ref } = await (tiers[0] as SessionBackend).create(delta({ clicks: 0 }), LIVES)
      ids.push(id)
      await turns(8)
      for (let clicks = 1; !crowdIs.over; clicks++) {
        const node = tiers[(number + clicks) % 2] as SessionBackend
        const found = await load(node, id)
        const saved = await node.save(ref, delta({ clicks }), {})
        counts.requests += 2
        if (found.state !== 'found' || saved.outcome !== 'done') counts.failed++
        await turns(8)
      }
    }
    const crowd = Array.from({ length: 20 }, (_, number) => browser(number))
    await turns(100)
    await own.kill()
    await vi.waitFor(() => expect(tiers[0]?.counters()['session_mesh_far_up']).toBe(0), { timeout: 10_000 })
    const before = counts.requests
    await vi.waitFor(() => expect(counts.requests).toBeGreaterThan(before + 200), { timeout: 10_000 })
    await own.start()
    await vi.waitFor(() => expect(tiers[0]?.counters()['session_mesh_far_up']).toBe(1), { timeout: 20_000 })
    crowdIs.over = true
    await Promise.all(crowd)

    expect(counts.failed).toBe(0)
    const redis = await openBackend({ port: own.port }, { prefix })
    closing.push(() => redis.close())
    // It came back empty: what it had before is there again.
    await digestsAgree(...tiers, redis)
    expect(ids).toHaveLength(20)
  })

  it('gives every session back after all nodes died', async () => {
    const prefix = space()
    const first = await nodes(3, prefix)
    const [a] = first.tiers
    if (a === undefined) throw new Error('no node')
    const ids: string[] = []
    for (let n = 0; n < 50; n++) {
      const { id, ref } = await a.create(delta({ n }), LIVES)
      ids.push((n % 3 === 0 ? (await a.rotate(ref, delta({ user: n }), {})).id : undefined) ?? id)
    }
    await a.flush()
    await first.close()

    const { tiers } = await nodes(3, prefix)

    for (const [n, id] of ids.entries()) {
      expect(await valuesOf(tiers[n % 3] as SessionBackend, id)).toMatchObject({ n })
    }
  })

  it('takes in again what expired there while news of its use could not arrive', async () => {
    const source = memory(Date.now)
    const redis = await openBackend(target(), { prefix: space() })
    closing.push(() => redis.close())
    const { ref, id } = source.create(delta({ n: 1 }), { maxIdleMs: 300, maxLifeMs: Infinity })
    const before = source.exportOne(ref)
    if (before === undefined) throw new Error('not exported')
    await redis.importOne(before)
    await vi.waitFor(async () => {
      source.touch(ref, Date.now())
      expect(await load(redis, id)).toMatchObject({ state: 'none' })
    }, { timeout: 5_000, interval: 20 })
    expect(await redis.save(ref, delta({}), {})).toMatchObject({ outcome: 'gone' })
    const since = source.exportOne(ref)
    expect(since === undefined ? 'over' : await redis.importOne(since)).toBe('imported')
    expect(await valuesOf(redis, id)).toEqual({ n: 1 })
  })

  it('is what a configuration with backend.type tiered makes, in both modes', async () => {
    const prefix = space()
    for (const mode of ['write-behind', 'near-cache'] as const) {
      const cluster = await createCluster({
        name: 'shop',
        node: { id: mode, listen: '127.0.0.1:0' },
        log: () => {},
        backend: { type: 'tiered', far: { type: 'redis', port: server.port, prefix }, mode, flushInterval: 10 },
      })
      closing.push(() => cluster.close())
      await cluster.ready()
      const { id } = await cluster.backend.create(delta({ mode }), LIVES)
      const redis = await openBackend(target(), { prefix })
      closing.push(() => redis.close())
      // Ids are signed with the secret of the cluster: by its ref, then.
      await vi.waitFor(async () => {
        const sessions: unknown[] = []
        for await (const session of redis.exportAll()) sessions.push(session)
        expect(sessions.length).toBeGreaterThan(0)
      })
      expect(await valuesOf(cluster.backend, id)).toEqual({ mode })
      expect(cluster.health()).toBeDefined()
      expect(cluster.metrics()).toMatchObject({ session_mesh_far_up: 1 })
    }
  })

  it('is read through near caches never older than what the browser has seen', async () => {
    const prefix = space()
    const open = async (id: string): Promise<SessionBackend> => {
      const far = { type: 'redis', port: server.port, prefix } as const
      const backend = { type: 'tiered', near: { type: 'memory' }, far, mode: 'near-cache', staleFor: '60s' } as const
      const cluster = await createCluster({ name: 'shop', node: { id, listen: '127.0.0.1:0' }, log: () => {}, backend })
      closing.push(() => cluster.close())
      await cluster.ready()
      return cluster.backend
    }
    const caches = [await open('a'), await open('b'), await open('c')]
    const nodeAt = (click: number): SessionBackend => caches[click % caches.length] as SessionBackend
    const cookies = new Map<string, string>()
    const keep = (seen: SeenTokens | undefined): void => {
      for (const [slot, token] of seen ?? []) cookies.set(slot, token)
    }
    const created = await nodeAt(0).create(delta({ clicks: 0 }), LIVES)
    keep(created.seen)

    for (let clicks = 1; clicks <= 300; clicks++) {
      // Every node has a copy.
      for (const node of caches) await load(node, created.id)
      keep((await nodeAt(clicks).save(created.ref, delta({ clicks }), { seen: new Map(cookies) })).seen)
      const answer = await nodeAt(clicks + 1).load(created.id, new Map(cookies), { deadline: Infinity })
      if (answer.state !== 'found') throw new Error(`not found: ${answer.state}`)
      keep(answer.seen)
      expect(valuesIn(answer.session)).toEqual({ clicks })
    }
  })

  it('has a logout when it is answered', async () => {
    const prefix = space()
    const { tiers: [a] } = await nodes(1, prefix)
    const redis = await openBackend(target(), { prefix })
    closing.push(() => redis.close())
    if (a === undefined) throw new Error('no node')
    const { id, ref } = await a.create(delta({}), LIVES)
    await a.flush()
    expect(await load(redis, id)).toMatchObject({ state: 'found' })

    expect(await a.destroy(ref, 'logged-out', {})).toMatchObject({ outcome: 'done' })

    expect(await load(redis, id)).toMatchObject({ state: 'none' })
  })
})

it('live sessions move from replicated memory to Redis, back, and there again: nobody is logged out', { timeout: 60_000 }, async () => {
  const hub = new LoopbackHub()
  const addresses = [hub.freeAddress(), hub.freeAddress()]
  const from = addresses.map((address) => replicatedNode(hub, address, addresses.filter((other) => other !== address), Date.now))
  await Promise.all(from.map((node) => node.open()))
  await Promise.all(from.map((node) => node.ready()))
  const prefix = space()
  const to = await Promise.all([openBackend(target(), { prefix }), openBackend(target(), { prefix })])
  closing.push(async () => void (await Promise.all([...from, ...to].map((backend) => backend.close()))))

  await moveUnderLoad({ from, to, now: Date.now, browsers: 20 })
})
