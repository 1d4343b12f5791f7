/** Ids that others make can name a session on two nodes before these hear of each other. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { SessionEvent } from '../../src/backend/backend.js'
import type { ReplicatedBackend } from '../../src/backend/replicated/replicated.js'
import { LoopbackHub } from '../../src/transport/loopback.js'
import { Clock, delta, LIVES, load, replicatedNode, turns, valuesOf } from './tiered/support.js'

const LEGACY = { ...LIVES, id: 'made-by-express-session' }
const closing: ReplicatedBackend[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((node) => node.close()))
})

type Three = readonly [ReplicatedBackend, ReplicatedBackend, ReplicatedBackend]

async function threeNodes(): Promise<Three> {
  return (await threeOn()).nodes
}

interface Network {
  readonly nodes: Three
  readonly clock: Clock
  /** No node of one group reaches one of the other. */
  readonly part: (group: readonly number[], other: readonly number[]) => void
  readonly heal: (group: readonly number[], other: readonly number[]) => void
}

async function threeOn(): Promise<Network> {
  const [hub, clock] = [new LoopbackHub(), new Clock()]
  const addresses = Array.from({ length: 3 }, () => hub.freeAddress())
  const node = (i: number): ReplicatedBackend =>
    replicatedNode(hub, addresses[i] ?? '', addresses.filter((_, other) => other !== i), clock.now)
  const nodes = [node(0), node(1), node(2)] as const
  closing.push(...nodes)
  await Promise.all(nodes.map((each) => each.open()))
  await Promise.all(nodes.map((each) => each.ready()))
  const each = (act: (a: string, b: string) => void) => (group: readonly number[], other: readonly number[]) => {
    for (const i of group) for (const j of other) act(addresses[i] ?? '', addresses[j] ?? '')
  }
  return { nodes, clock, part: each((a, b) => hub.cut(a, b)), heal: each((a, b) => hub.heal(a, b)) }
}

function heardBy(node: ReplicatedBackend): number {
  return node.counters()['session_mesh_frames_received_total'] ?? 0
}

/** Where the id leads on each node. */
async function statesOn(nodes: readonly ReplicatedBackend[]): Promise<readonly string[]> {
  return await Promise.all(nodes.map(async (node) => (await load(node, LEGACY.id)).state))
}

describe('a session that two nodes make under one id at once', () => {
  it('is one session soon, the same on every node, and its logout is one', async () => {
    const nodes = await threeNodes()
    const [a, b, c] = nodes
    const ended: SessionEvent[] = []
    c.subscribe((event) => void (event.type === 'destroyed' && ended.push(event)))
    const made = await Promise.all([a.create(delta({ from: 'a' }), LEGACY), b.create(delta({ from: 'b' }), LEGACY)])
    expect(made.map(({ outcome }) => outcome)).toEqual(['done', 'done'])

    await vi.waitFor(() => expect(nodes.map((node) => node.size().sessions)).toEqual([1, 1, 1]))
    const values = await Promise.all(nodes.map((node) => valuesOf(node, LEGACY.id)))
    expect(new Set(values.map(({ from }) => from)).size).toBe(1)
    expect(ended).toMatchObject([{ reason: 'duplicate' }])

    const found = await load(c, LEGACY.id)
    if (found.state !== 'found') throw new Error('not found')
    await c.destroy(found.ref, 'logged-out', {})
    await turns(10)
    for (const node of nodes) expect((await load(node, LEGACY.id)).state).toBe('none')
  })

  it('stays where its id is given again after its end', async () => {
    const nodes = await threeNodes()
    const [a, b] = nodes
    const first = await a.create(delta({ life: 1 }), LEGACY)
    await vi.waitFor(async () => expect((await load(b, LEGACY.id)).state).toBe('found'))
    await b.destroy(first.ref, 'logged-out', {})
    await b.create(delta({ life: 2 }), LEGACY)

    for (const node of nodes) await vi.waitFor(async () => expect(await valuesOf(node, LEGACY.id)).toEqual({ life: 2 }))
    await turns(50)
    for (const node of nodes) expect(await valuesOf(node, LEGACY.id)).toEqual({ life: 2 })
  })
})

describe('a session that two nodes make under one id without hearing of each other', () => {
  it('ends by the others where its maker died before it heard', { timeout: 60_000 }, async () => {
    const { nodes: [a, b, c], clock, part, heal } = await threeOn()
    part([0], [1, 2])
    await a.create(delta({ from: 'a' }), LEGACY)
    await b.create(delta({ from: 'b' }), LEGACY)
    await vi.waitFor(async () => expect(await valuesOf(c, LEGACY.id)).toEqual({ from: 'b' }), { timeout: 5_000 })
    part([1], [2])
    heal([0], [2])
    await vi.waitFor(() => expect([a.size().sessions, c.size().sessions]).toEqual([2, 2]), { timeout: 10_000 })

    for (let seconds = 0; seconds < 14; seconds++) {
      const before = heardBy(a)
      clock.advance(1_000)
      await vi.waitFor(() => expect(heardBy(a)).toBeGreaterThan(before), { timeout: 5_000 })
    }
    expect([a.size().sessions, c.size().sessions]).toEqual([2, 2])
    clock.advance(3_000)

    await vi.waitFor(() => expect([a.size().sessions, c.size().sessions]).toEqual([1, 1]), { timeout: 10_000 })
    expect([await valuesOf(a, LEGACY.id), await valuesOf(c, LEGACY.id)]).toEqual([{ from: 'a' }, { from: 'a' }])
  })

  it.each([
    ['the smaller', 0, 1],
    ['the greater', 1, 0],
  ] as const)('ends with a logout of the one with %s birth before they meet', async (_which, out, other) => {
    const { nodes, part, heal } = await threeOn()
    part([out], [other])
    const { ref } = await nodes[out].create(delta({ from: out }), LEGACY)
    await nodes[other].create(delta({ from: other }), LEGACY)
    await nodes[out].destroy(ref, 'logged-out', { acks: 'async' })
    heal([out], [other])

    await vi.waitFor(() => expect(nodes.map((node) => node.size().sessions)).toEqual([0, 0, 0]), { timeout: 10_000 })
    await turns(50)
    for (const state of await statesOn(nodes)) expect(state).toBe('none')
  })

  it('ends with a logout on a node that holds both', async () => {
    const { nodes, part } = await threeOn()
    const [a, b, c] = nodes
    part([0], [1])
    const { ref } = await a.create(delta({ from: 'a' }), LEGACY)
    await b.create(delta({ from: 'b' }), LEGACY)
    await vi.waitFor(() => expect(c.size().sessions).toBe(2))
    part([1], [2])
    await c.destroy(ref, 'logged-out', { acks: 'async' })

    expect(await statesOn([c])).toEqual(['none'])
    await vi.waitFor(async () => expect(await statesOn([a])).toEqual(['none']))
  })

  it('is not made where its time is over for one node and a third one knows of its last use', async () => {
    const { nodes: [a, b], clock, part } = await threeOn()
    const { ref } = await a.create(delta({ from: 'a' }), { ...LEGACY, maxIdleMs: 700 })
    await vi.waitFor(() => expect(b.size().sessions).toBe(1))
    part([0], [1])
    await vi.waitFor(() => {
      a.touch(ref, clock.now())
      expect(b.read(ref)).toBeUndefined()
    }, { timeout: 10_000 })

    const second = await b.create(delta({ from: 'b' }), LEGACY)

    expect(second).toEqual({ outcome: 'gone', id: LEGACY.id, ref })
    expect(await valuesOf(a, LEGACY.id)).toEqual({ from: 'a' })
    expect(await valuesOf(b, LEGACY.id)).toEqual({ from: 'a' })
  })

  it('is made where its time is over for everybody, by one of two who try at once', async () => {
    const { nodes: [a, b] } = await threeOn()
    const first = await a.create(delta({ life: 1 }), { ...LEGACY, maxIdleMs: 300 })
    await vi.waitFor(() => expect(b.size().sessions).toBe(1))
    await vi.waitFor(() => expect(b.read(first.ref)).toBeUndefined(), { timeout: 10_000 })

    const made = await Promise.all([b.create(delta({ life: 2 }), LEGACY), b.create(delta({ life: 3 }), LEGACY)])

    expect(made.map(({ outcome }) => outcome).sort()).toEqual(['done', 'gone'])
    expect(new Set(made.map(({ ref }) => ref.counter)).size).toBe(1)
    expect(made[0].ref).not.toEqual(first.ref)
    expect(await valuesOf(b, LEGACY.id)).toEqual({ life: 2 })
  })

  it('stays where only the other one expired', async () => {
    const { nodes: [a, b], clock, part, heal } = await threeOn()
    part([0], [1, 2])
    const { ref } = await a.create(delta({ from: 'a' }), { ...LEGACY, maxIdleMs: 500 })
    await b.create(delta({ from: 'b' }), LEGACY)
    await a.destroy(ref, 'expired', { acks: 'async' })
    clock.advance(100)
    heal([0], [1, 2])

    await vi.waitFor(async () => expect(await valuesOf(a, LEGACY.id)).toEqual({ from: 'b' }), { timeout: 10_000 })
    await turns(50)
    expect(await valuesOf(b, LEGACY.id)).toEqual({ from: 'b' })
  })
})
