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

async function threeNodes(): Promise<readonly [ReplicatedBackend, ReplicatedBackend, ReplicatedBackend]> {
  const [hub, clock] = [new LoopbackHub(), new Clock()]
  const addresses = Array.from({ length: 3 }, () => hub.freeAddress())
  const node = (i: number): ReplicatedBackend =>
    replicatedNode(hub, addresses[i] ?? '', addresses.filter((_, other) => other !== i), clock.now)
  const nodes = [node(0), node(1), node(2)] as const
  closing.push(...nodes)
  await Promise.all(nodes.map((each) => each.open()))
  await Promise.all(nodes.map((each) => each.ready()))
  return nodes
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
