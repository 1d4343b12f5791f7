/** Mode `both`: some nodes know only one of the two backends, as in the middle of a move, and nobody notices. */
import { afterEach, describe, expect, it } from 'vitest'
import type { SessionBackend } from '../../../src/backend/backend.js'
import { Clock, delta, LIVES, load, memory, Remote, tiered, turns, valuesOf } from './support.js'

const closing: SessionBackend[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((backend) => backend.close()))
})

/** A node with both, and what nodes that know only one of them work on. */
async function moving(): Promise<{ both: SessionBackend; near: SessionBackend; far: SessionBackend }> {
  const clock = new Clock()
  const [near, far] = [memory(clock.now), memory(clock.now)]
  const both = tiered(new Remote(near), new Remote(far), clock, { mode: 'both', flushIntervalMs: 60_000 })
  closing.push(both)
  await both.open()
  await both.ready()
  return { both, near, far }
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
