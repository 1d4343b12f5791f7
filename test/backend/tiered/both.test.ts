/** Mode `both`: some nodes know only one of the two backends, as in the middle of a move, and nobody notices. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { SessionBackend } from '../../../src/backend/backend.js'
import { deferred } from '../../../src/deferred.js'
import type { MemoryBackend } from '../../../src/backend/memory/memory.js'
import {
  Clock, delta, LIVES, load, memory, Remote, replicatedNode, tiered, tieredNodes, turns, valuesOf, type Nodes,
} from './support.js'

const closing: SessionBackend[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((backend) => backend.close()))
})

/** A node with both, and what nodes that know only one of them work on. */
async function moving(): Promise<{ both: SessionBackend; near: SessionBackend; far: SessionBackend; remote: Remote }> {
  const clock = new Clock()
  const [near, far] = [memory(clock.now), memory(clock.now)]
  const remote = new Remote(far)
  const both = tiered(new Remote(near), remote, clock, { mode: 'both', flushIntervalMs: 60_000 })
  closing.push(both)
  await both.open()
  await both.ready()
  return { both, near, far, remote }
}

describe('a node with both', () => {
  it('has written to both when it answers', async () => {
    const { both, near, far } = await moving()
    const { id, ref } = await both.create(delta({ n: 1 }), LIVES)
    expect([await valuesOf(near, id), await valuesOf(far, id)]).toEqual([{ n: 1 }, { n: 1 }])
    await both.save(ref, delta({ n: 2 }), {})
    expect([await valuesOf(near, id), await valuesOf(far, id)]).toEqual([{ n: 2 }, { n: 2 }])
  })

  it('reads what a node with one of them wrote', async () => {
    const { both, near, far } = await moving()
    const { id, ref } = await both.create(delta({ n: 1 }), LIVES)
    await far.save(ref, delta({ far: 1 }), {})
    expect(await valuesOf(both, id)).toEqual({ n: 1, far: 1 })
    await near.save(ref, delta({ near: 1 }), {})
    expect(await valuesOf(both, id)).toEqual({ n: 1, far: 1, near: 1 })
  })

  it('reads what a node with the far one wrote while somebody else was asking for the session', async () => {
    const { both, far, remote } = await moving()
    await vi.waitFor(() => expect(both.counters()).toMatchObject({ session_mesh_far_complete: 1 }))
    const { id, ref } = await far.create(delta({ n: 1 }), LIVES)
    const before = await far.exportOne(ref)
    const late = deferred<typeof before>()
    const asking = vi.spyOn(remote, 'exportOne').mockReturnValueOnce(late.promise)
    const first = valuesOf(both, id)
    await vi.waitFor(() => expect(asking).toHaveBeenCalledOnce())
    await far.save(ref, delta({ n: 2 }), {})
    const second = valuesOf(both, id)
    await turns(20)
    late.resolve(before)

    await first
    expect(await second).toEqual({ n: 2 })
  })

  it('brings along what only one of them holds as soon as it is asked for', async () => {
    const { both, near, far } = await moving()
    const here = await near.create(delta({ n: 1 }), LIVES)
    const there = await far.create(delta({ n: 2 }), LIVES)
    expect([await valuesOf(both, here.id), await valuesOf(both, there.id)]).toEqual([{ n: 1 }, { n: 2 }])
    expect([await valuesOf(far, here.id), await valuesOf(near, there.id)]).toEqual([{ n: 1 }, { n: 2 }])
  })

  it('does not serve what ended on a node with the far one alone', async () => {
    const { both, near, far } = await moving()
    const { id, ref } = await both.create(delta({ n: 1 }), LIVES)
    await far.destroy(ref, 'logged-out', {})
    expect(await load(both, id)).toMatchObject({ state: 'none' })
    expect(await load(near, id)).toMatchObject({ state: 'none' })
    expect(await both.save(ref, delta({ late: 1 }), {})).toMatchObject({ outcome: 'gone' })
    expect(await load(far, id)).toMatchObject({ state: 'none' })
  })

  it('ends in the far one what ended on a node with the near one alone, which it never wrote itself', async () => {
    const { both, near, far } = await moving()
    const { id, ref } = await near.create(delta({ n: 1 }), LIVES)
    const session = await near.exportOne(ref)
    if (session === undefined) throw new Error('not exported')
    await far.importOne(session)
    await near.destroy(ref, 'logged-out', {})
    await turns(2)
    await (both as ReturnType<typeof tiered>).flush()
    expect(await load(far, id)).toMatchObject({ state: 'none' })
  })
})

/** Two nodes with both, and what a node that knows only the far one works on. */
async function twoMoving(): Promise<Nodes & { readonly clock: Clock; readonly held: MemoryBackend; readonly far: Remote }> {
  const clock = new Clock()
  const held = memory(clock.now)
  const far = new Remote(held)
  const nodes = await tieredNodes(2, () => far, clock, { mode: 'both' })
  closing.push(...nodes.tiers)
  return { ...nodes, clock, held, far }
}

/** Nobody asks a node with both for the session meanwhile. */
describe('without anybody asking, a node with both', () => {
  it('has in memory what a node with the far one alone wrote, so that its successor can do without the far one', async () => {
    const { tiers: [a], nearest, held } = await twoMoving()
    const { id, ref } = await (a as SessionBackend).create(delta({ clicks: 1 }), LIVES)

    held.save(ref, delta({ clicks: 2 }))

    for (const near of nearest) await vi.waitFor(async () => expect(await valuesOf(near, id)).toEqual({ clicks: 2 }))
  })

  it('has in memory what a node with the far one alone made', async () => {
    const { nearest, held } = await twoMoving()
    const { id } = held.create(delta({ clicks: 1 }), LIVES)

    for (const near of nearest) await vi.waitFor(async () => expect(await valuesOf(near, id)).toEqual({ clicks: 1 }))
  })

  it('ends in memory what ended on a node with the far one alone', async () => {
    const { tiers: [a], nearest, held } = await twoMoving()
    const { id, ref } = await (a as SessionBackend).create(delta({}), LIVES)

    held.destroy(ref, 'logged-out')

    for (const near of nearest) await vi.waitFor(async () => expect((await load(near, id)).state).toBe('none'))
  })

  it('has written to the far one what a node with memory alone wrote', async () => {
    const { tiers: [a], hub, addresses, held, clock } = await twoMoving()
    const { id, ref } = await (a as SessionBackend).create(delta({ clicks: 1 }), LIVES)
    const memoryAlone = replicatedNode(hub, hub.freeAddress(), addresses, clock.now)
    closing.push(memoryAlone)
    await memoryAlone.open()
    await memoryAlone.ready()

    await memoryAlone.save(ref, delta({ clicks: 2 }), {})
    const made = await memoryAlone.create(delta({ clicks: 1 }), LIVES)

    await vi.waitFor(async () => expect(await valuesOf(held, id)).toEqual({ clicks: 2 }))
    await vi.waitFor(async () => expect(await valuesOf(held, made.id)).toEqual({ clicks: 1 }))
  })

  it('says that what it serves may be old while it cannot ask the far one', async () => {
    const { tiers: [a], far } = await twoMoving()
    const { id } = await (a as SessionBackend).create(delta({ clicks: 1 }), LIVES)
    expect(await load(a as SessionBackend, id)).not.toHaveProperty('stale')
    far.isDown = true

    expect(await load(a as SessionBackend, id)).toMatchObject({ state: 'found', stale: true })
  })

  it('finds by comparison what it could not be told while the far one was out of reach', async () => {
    const { tiers, nearest, held, far } = await twoMoving()
    const { id, ref } = await (tiers[0] as SessionBackend).create(delta({ clicks: 1 }), LIVES)
    far.isDown = true
    await Promise.all(tiers.map((tier) => load(tier, id)))
    held.save(ref, delta({ clicks: 2 }))
    far.isDown = false

    for (const near of nearest) await vi.waitFor(async () => expect(await valuesOf(near, id)).toEqual({ clicks: 2 }))
  })

  it('asks the far one once about a session however often others change it, and not about its own changes', async () => {
    const { tiers: [a, b], held, far } = await twoMoving()
    const { ref } = await (a as SessionBackend).create(delta({ clicks: 0 }), LIVES)
    await Promise.all([a?.flush(), b?.flush()])
    far.calls.length = 0

    for (let clicks = 1; clicks <= 50; clicks++) held.save(ref, delta({ clicks }))
    await Promise.all([a?.flush(), b?.flush()])

    expect(far.calls).toEqual(['exportOne', 'exportOne'])
  })
})
