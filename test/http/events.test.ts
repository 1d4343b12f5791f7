import { describe, expect, test, vi } from 'vitest'
import type { SessionBackend, SessionEvent } from '../../src/backend/backend.js'
import type { Log } from '../../src/log.js'
import { SessionEvents, type SessionEventMap } from '../../src/observe/session-events.js'
import { encodeValue } from '../../src/session/value.js'
import { loopbackCluster, type LoopbackCluster, type LoopbackNode } from './loopback-nodes.js'
import { mount } from './support.js'

const TYPES = ['created', 'changed', 'rotated', 'destroyed', 'expired'] as const
const LIVES = { maxIdleMs: 60_000, maxLifeMs: Infinity }

interface Heard {
  readonly type: keyof SessionEventMap
  readonly local: boolean
  readonly counter: number
  readonly reason?: string
}

/** What each node is told, in its order. */
function listen({ nodes }: LoopbackCluster, scope?: 'local' | 'cluster'): readonly Heard[][] {
  return nodes.map(({ events }) => {
    const heard: Heard[] = []
    for (const type of TYPES) {
      events.on(type, (event) => void heard.push({ ...event, counter: event.ref.counter }), { scope })
    }
    return heard
  })
}

/** Makes a session on one node, changes it on the next, and so on. */
async function live(cluster: LoopbackCluster): Promise<number> {
  const at = (i: number): SessionBackend => cluster.node(i).backend
  const delta = { writes: [{ name: 'n', kind: 0, value: encodeValue(1, 'n') }] }
  const { ref } = await at(0).create(delta, { ...LIVES, acks: 'all' })
  await at(1).save(ref, delta, { acks: 'all' })
  await at(2).rotate(ref, { writes: [] }, { acks: 'all' })
  await at(0).destroy(ref, 'logged-out', { acks: 'all' })
  return ref.counter
}

describe('events of a cluster of three', () => {
  test('reach every node in their order', async () => {
    const cluster = await loopbackCluster(3)
    const heard = listen(cluster)
    await live(cluster)

    for (const events of heard) {
      await vi.waitFor(() => expect(events.map(({ type }) => type)).toEqual(['created', 'changed', 'rotated', 'destroyed']))
      expect(events.at(-1)).toMatchObject({ reason: 'logged-out' })
    }
  })

  test('are local on exactly one node each, the one that caused them', async () => {
    const cluster = await loopbackCluster(3)
    const heard = listen(cluster)
    await live(cluster)
    for (const events of heard) await vi.waitFor(() => expect(events).toHaveLength(4))

    const local = heard.map((events) => events.filter((event) => event.local).map(({ type }) => type))

    expect(local).toEqual([['created', 'destroyed'], ['changed'], ['rotated']])
  })

  test('of scope local are told by that node alone', async () => {
    const cluster = await loopbackCluster(3)
    const everywhere = listen(cluster)
    const here = listen(cluster, 'local')
    await live(cluster)
    for (const events of everywhere) await vi.waitFor(() => expect(events).toHaveLength(4))

    expect(here.map((events) => events.map(({ type }) => type))).toEqual([['created', 'destroyed'], ['changed'], ['rotated']])
  })

  test('tell of the end by time on every node, local on the one that judged it', async () => {
    const cluster = await loopbackCluster(3)
    const heard = listen(cluster)
    // Long enough for the nodes to have told each other that they are ready: only then one of them judges for all.
    await cluster.node(0).backend.create({ writes: [] }, { maxIdleMs: 1_500, maxLifeMs: Infinity, acks: 'all' })

    for (const events of heard) {
      await vi.waitFor(() => expect(events.map(({ type }) => type)).toEqual(['created', 'expired']), { timeout: 10_000 })
    }

    expect(heard.flat().filter(({ type, local }) => type === 'expired' && local)).toHaveLength(1)
  })

  test('tell of what happened behind a cut when it heals, once', async () => {
    const cluster = await loopbackCluster(2)
    const { backend, address } = cluster.node(0)
    const created = await backend.create({ writes: [] }, { ...LIVES, acks: 'all' })
    const heard = listen(cluster)
    cluster.hub.cut(address, cluster.node(1).address)
    await backend.rotate(created.ref, { writes: [] }, {})
    await backend.create({ writes: [] }, LIVES)

    cluster.hub.heal(address, cluster.node(1).address)

    await vi.waitFor(() => expect(heard[1]?.map(({ type }) => type).sort()).toEqual(['created', 'rotated']), { timeout: 5_000 })
    expect(heard[1]?.every(({ local }) => !local)).toBe(true)
  })
})

describe('listeners', () => {
  function quiet(): { node: Pick<LoopbackNode, 'events'>; backend: SessionBackend; errors: string[] } {
    const errors: string[] = []
    const log: Log = (level, event, fields) => void errors.push(`${level} ${event} ${String(fields?.['detail'])}`)
    const { backend } = mount()
    return { node: { events: new SessionEvents(backend, log) }, backend, errors }
  }

  test('that throw or reject are logged, and neither the commit nor the next listener suffers', async () => {
    const { node, backend, errors } = quiet()
    const next = vi.fn()
    node.events.on('created', () => {
      throw new Error('oops')
    })
    node.events.on('created', () => Promise.reject(new Error('later')))
    node.events.on('created', next)

    expect(await backend.create({ writes: [] }, LIVES)).toMatchObject({ outcome: 'done' })

    expect(next).toHaveBeenCalledOnce()
    await vi.waitFor(() => expect(errors).toEqual(['error session-listener-failed oops', 'error session-listener-failed later']))
  })

  test('hear of what one of them causes after all have heard of its cause', async () => {
    const { node, backend } = quiet()
    const order: string[] = []
    node.events.on('created', ({ ref }) => void backend.destroy(ref, 'destroyed', {}))
    node.events.on('destroyed', () => order.push('destroyed'))
    node.events.on('created', () => order.push('created'))

    await backend.create({ writes: [] }, LIVES)

    expect(order).toEqual(['created', 'destroyed'])
  })

  test('are told neither ids nor values', async () => {
    const { node, backend } = quiet()
    const told: SessionEvent[] = []
    for (const type of TYPES) node.events.on(type, (event) => void told.push(event))
    const { id, ref } = await backend.create({ writes: [{ name: 'n', kind: 0, value: encodeValue('secret', 'n') }] }, LIVES)
    await backend.destroy(ref, 'destroyed', {})

    const text = JSON.stringify(told)

    expect(told).toHaveLength(2)
    expect(text).not.toContain(id)
    expect(text).not.toContain('secret')
    expect(new Set(told.flatMap((event) => Object.keys(event)))).toEqual(new Set(['type', 'ref', 'local', 'reason']))
  })

  test('can stop; nobody listens to the backend when none is left', async () => {
    const { node, backend } = quiet()
    const subscribe = vi.spyOn(backend, 'subscribe')
    const listener = vi.fn()

    const stop = node.events.on('created', listener)
    await backend.create({ writes: [] }, LIVES)
    stop()
    await backend.create({ writes: [] }, LIVES)
    stop()
    node.events.on('created', listener)
    await backend.create({ writes: [] }, LIVES)

    expect(listener).toHaveBeenCalledTimes(2)
    expect(subscribe).toHaveBeenCalledTimes(2)
  })
})
