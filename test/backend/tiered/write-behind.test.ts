import { afterEach, describe, expect, it, vi } from 'vitest'
import type { SessionBackend } from '../../../src/backend/backend.js'
import type { MemoryBackend } from '../../../src/backend/memory/memory.js'
import type { TieredBackend } from '../../../src/backend/tiered/tiered.js'
import { Clock, delta, digestsAgree, LIVES, load, memory, Remote, tiered, tieredNodes, turns, valuesOf, type Extra } from './support.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

interface Setup {
  readonly clock: Clock
  /** What the far side holds, whether it can be reached or not. */
  readonly held: MemoryBackend
  readonly far: Remote
  readonly tiers: readonly TieredBackend[]
  readonly a: TieredBackend
  readonly b: TieredBackend
}

async function setup(size = 2, extra: Extra = {}, held?: MemoryBackend, clock = new Clock()): Promise<Setup> {
  const inner = held ?? memory(clock.now)
  const far = new Remote(inner)
  const { tiers, close } = await tieredNodes(size, () => far, clock, extra)
  closing.push(close)
  const [a] = tiers
  const b = tiers.at(-1)
  if (a === undefined || b === undefined) throw new Error('no nodes')
  return { clock, held: inner, far, tiers, a, b }
}

/** A far backend with one session in it that no node has heard of. */
async function farOnly(extra: Extra = {}, values: Record<string, unknown> = { n: 1 }): Promise<Setup & { id: string }> {
  const clock = new Clock()
  const before = memory(clock.now)
  const held = memory(clock.now)
  const { id, ref } = before.create({ ...delta(values), principal: 'ada' }, LIVES)
  const session = before.exportOne(ref)
  if (session === undefined) throw new Error('not exported')
  held.importOne(session)
  return { ...(await setup(3, { warmUpMax: 0, ...extra }, held, clock)), id }
}

const isNone = async (id: string, ...backends: readonly SessionBackend[]): Promise<void> => {
  for (const backend of backends) expect(await load(backend, id)).toMatchObject({ state: 'none' })
}

describe('what nodes do', () => {
  it('reaches the far backend with the next flush, as one write however often a session changed', async () => {
    const { a, far, held } = await setup(2, { flushIntervalMs: 50 })
    const { id, ref } = await a.create(delta({ n: 0 }), LIVES)
    for (let n = 1; n <= 100; n++) await a.save(ref, delta({ n }), {})

    await a.flush()

    expect(await valuesOf(held, id)).toEqual({ n: 100 })
    expect(far.calls.filter((call) => call === 'importOne').length).toBeLessThanOrEqual(2)
  })

  it('is answered from memory at once, without asking the far backend', async () => {
    const { a, far } = await setup(1)
    far.calls.length = 0
    const created = a.create(delta({ n: 0 }), LIVES)
    if (created instanceof Promise) throw new Error('waited')

    expect(a.load(created.id, undefined, { deadline: Infinity })).toMatchObject({ state: 'found' })
    expect(a.save(created.ref, delta({ n: 1 }), {})).toMatchObject({ outcome: 'done' })
    expect(far.calls).toEqual([])
  })

  it('keeps a session alive on the far side that is only read', async () => {
    const { a, held, clock } = await setup(1)
    const { id, ref } = await a.create(delta({}), { maxIdleMs: 60_000, maxLifeMs: Infinity })
    await a.flush()
    clock.advance(50_000)
    a.touch(ref, clock.now())
    await a.flush()
    clock.advance(50_000)
    expect(await load(held, id)).toMatchObject({ state: 'found' })
  })

  it('is written by the others when the node that did it dies before it could', async () => {
    const { a, b, held } = await setup(3, { flushIntervalMs: 20 })
    // As a process dies: what it was about to write never arrives.
    const dead = vi.spyOn(held, 'importOne').mockImplementationOnce(() => new Promise(() => {}) as never)
    const { id } = await a.create(delta({ n: 1 }), LIVES)
    await vi.waitFor(() => expect(dead).toHaveBeenCalled())
    await turns(6)
    expect(await load(held, id)).toMatchObject({ state: 'none' })

    void a.close()

    await vi.waitFor(async () => expect(await valuesOf(held, id)).toEqual({ n: 1 }), { timeout: 5_000 })
    expect(await valuesOf(b, id)).toEqual({ n: 1 })
  })
})

describe('a session that only the far backend holds', () => {
  it('is found by its id on every node, and goes on as if it had never been away', async () => {
    const { a, b, id, held } = await farOnly()

    expect(await valuesOf(a, id)).toEqual({ n: 1 })
    const found = await load(b, id)
    if (found.state !== 'found') throw new Error('not found')
    expect(await b.save(found.ref, delta({ m: 2 }), {})).toMatchObject({ outcome: 'done' })
    await turns(6)

    expect(await valuesOf(a, id)).toEqual({ n: 1, m: 2 })
    await b.flush()
    expect(await valuesOf(held, id)).toEqual({ n: 1, m: 2 })
  })

  it('is asked for once, however many requests wait for it', async () => {
    const { a, id, far } = await farOnly()
    far.calls.length = 0
    await Promise.all(Array.from({ length: 50 }, () => valuesOf(a, id)))
    expect(far.calls.filter((call) => call === 'load')).toHaveLength(1)
  })

  it('is found by its principal, and ended with the others of it', async () => {
    const { a, b, id, held } = await farOnly()
    const { id: other } = await b.create({ ...delta({}), principal: 'ada' }, LIVES)
    await turns(6)
    expect(await a.find('ada')).toHaveLength(2)

    expect(await a.revoke('ada', {})).toEqual({ outcome: 'done', sessions: 2 })
    await turns(6)

    await isNone(id, a, b, held)
    await isNone(other, a, b, held)
  })

  it('is ended by its ref alone', async () => {
    const { a, b, id, held } = await farOnly()
    const [ref] = held.find('ada')
    if (ref === undefined) throw new Error('not there')
    expect(await a.destroy(ref, 'logged-out', {})).toMatchObject({ outcome: 'done' })
    await turns(6)
    await isNone(id, a, b, held)
  })

  it('comes back to every node after all of them died', async () => {
    const first = await setup(2)
    const ids: string[] = []
    for (let n = 0; n < 20; n++) ids.push((await first.a.create(delta({ n }), LIVES)).id)
    const { ref } = await first.a.create(delta({ n: 'rotated' }), LIVES)
    await turns(6)
    const { id: rotated } = await first.b.rotate(ref, delta({ user: 'ada' }), {})
    await first.a.flush()
    await Promise.all(first.tiers.map((tier) => tier.close()))

    const { a, b } = await setup(2, {}, first.held, first.clock)

    for (const [n, id] of ids.entries()) expect(await valuesOf(n % 2 === 0 ? a : b, id)).toEqual({ n })
    expect(await valuesOf(b, rotated ?? '')).toEqual({ n: 'rotated', user: 'ada' })
    await digestsAgree(a, b, first.held)
  })

  it('comes back with a restarted process whose memory was the near backend', async () => {
    const clock = new Clock()
    const held = memory(clock.now)
    const first = tiered(memory(clock.now), new Remote(held), clock)
    await first.open()
    const { id, ref } = await first.create(delta({ n: 1 }), LIVES)
    await first.close()

    const second = tiered(memory(clock.now), new Remote(held), clock, { warmUpMax: 0 })
    await second.open()
    closing.push(() => second.close())

    expect(await second.save(ref, delta({ m: 2 }), {})).toMatchObject({ outcome: 'done' })
    expect(await valuesOf(second, id)).toEqual({ n: 1, m: 2 })
    expect(await second.read(ref)).toBeDefined()
  })
})

describe('ends and new ids', () => {
  it('have reached the far backend when they are answered', async () => {
    const { a, held } = await setup(2, { flushIntervalMs: 60_000 })
    const first = await a.create(delta({ n: 1 }), LIVES)
    const second = await a.create(delta({ n: 2 }), LIVES)
    await a.flush()

    const rotated = await a.rotate(first.ref, { ...delta({}), principal: 'ada' }, {})
    expect(await load(held, first.id)).toMatchObject({ state: 'none', why: 'rotated' })
    expect(await valuesOf(held, rotated.id ?? '')).toEqual({ n: 1 })
    expect(held.find('ada')).toEqual([first.ref])

    expect(await a.destroy(second.ref, 'logged-out', {})).toMatchObject({ outcome: 'done' })
    expect(await load(held, second.id)).toMatchObject({ state: 'none', why: 'gone' })
  })

  it('are done, queued and answered as unknown while the far backend is away', async () => {
    const { a, b, held, far } = await setup()
    const [first, second] = [await a.create(delta({ n: 1 }), LIVES), await a.create(delta({ n: 2 }), LIVES)]
    await a.flush()
    far.isDown = true

    expect(await a.destroy(first.ref, 'logged-out', {})).toMatchObject({ outcome: 'unknown' })
    const rotated = await a.rotate(second.ref, delta({}), {})
    expect(rotated.outcome).toBe('unknown')
    expect(await load(held, first.id)).toMatchObject({ state: 'found' })
    await turns(6)
    await isNone(first.id, a, b)

    far.isDown = false
    await digestsAgree(a, b, held)
    await isNone(first.id, a, b, held)
    await isNone(second.id, a, b, held)
    expect(await valuesOf(held, rotated.id ?? '')).toEqual({ n: 2 })
  })

  it('do not wait longer than asked for a far backend that hangs', async () => {
    const { a, held } = await setup(1)
    const { ref } = await a.create(delta({}), LIVES)
    await a.flush()
    vi.spyOn(held, 'destroy').mockReturnValue(new Promise(() => {}) as never)
    expect(await a.destroy(ref, 'logged-out', { withinMs: 20 })).toMatchObject({ outcome: 'unknown' })
    vi.restoreAllMocks()
  })

  it('take back a write to the far backend that they overtook', async () => {
    const { a, b, held } = await setup(2, { flushIntervalMs: 60_000 })
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    await turns(6)
    let release = (): void => {}
    const importOne = held.importOne.bind(held)
    vi.spyOn(held, 'importOne').mockImplementationOnce(((session: Parameters<typeof importOne>[0]) =>
      new Promise((resolve) => (release = () => resolve(importOne(session))))) as never)
    const writing = a.flush()
    await turns(2)

    expect(await b.destroy(ref, 'logged-out', {})).toMatchObject({ outcome: 'done' })
    release()
    await writing
    expect(await load(held, id)).toMatchObject({ state: 'found' })

    await a.flush()
    await isNone(id, held, a, b)
  })

  it('cover, for a principal, what only the far backend holds, and nobody who logs in while it is away', async () => {
    const { a, b, id, held, far } = await farOnly()
    far.isDown = true
    expect(await a.revoke('ada', {})).toEqual({ outcome: 'unknown', sessions: 0 })
    const again = await b.create({ ...delta({ again: true }), principal: 'ada' }, LIVES)

    far.isDown = false

    await vi.waitFor(async () => await isNone(id, held), { timeout: 5_000 })
    await isNone(id, a, b)
    expect(await valuesOf(a, again.id)).toEqual({ again: true })
    await digestsAgree(a, b, held)
    expect(held.find('ada')).toEqual([again.ref])
  })
})

describe('while the far backend is away', () => {
  it('no request fails, and afterwards it has everything', async () => {
    const { a, b, far, held } = await setup()
    const before = await a.create(delta({ n: 0 }), LIVES)
    await a.flush()
    far.isDown = true

    const ids: string[] = []
    for (let n = 1; n <= 20; n++) {
      const created = await a.create(delta({ n }), LIVES)
      await turns(6)
      expect(await b.save(created.ref, delta({ m: n }), {})).toMatchObject({ outcome: 'done' })
      ids.push(created.id)
    }
    await b.save(before.ref, delta({ n: -1 }), {})
    expect(await load(a, 'A'.repeat(48))).toMatchObject({ state: 'none', why: 'unknown' })
    await a.flush()
    expect(a.health()).toMatchObject({ ready: true, detail: expect.stringContaining('far backend is away') })

    far.isDown = false
    await digestsAgree(a, b, held)
    for (const [n, id] of ids.entries()) expect(await valuesOf(held, id)).toEqual({ n: n + 1, m: n + 1 })
    expect(await valuesOf(held, before.id)).toEqual({ n: -1 })
  })

  it('a node that never saw what is there says so instead of denying it', async () => {
    const { a, id, far } = await farOnly()
    far.isDown = true

    expect(await load(a, id)).toEqual({ state: 'behind', retryAfterMs: 1_000 })
    expect(a.health()).toMatchObject({ ready: false, detail: expect.stringContaining('does not answer') })

    far.isDown = false
    await vi.waitFor(async () => expect(await valuesOf(a, id)).toEqual({ n: 1 }))
    await vi.waitFor(() => expect(a.health().ready).toBe(true))
  })

  it('so many sessions wait and no more; what was dropped is found again', async () => {
    const { a, far, held } = await setup(1, { queueMax: 10 })
    far.isDown = true
    await a.create(delta({}), LIVES)
    await a.flush()
    for (let n = 0; n < 50; n++) await a.create(delta({ n }), LIVES)
    expect(a.counters()['session_mesh_far_waiting']).toBeLessThanOrEqual(10)
    expect(a.counters()['session_mesh_far_dropped_total']).toBeGreaterThanOrEqual(40)

    far.isDown = false

    await digestsAgree(a, held)
    expect(held.size().sessions).toBe(51)
  })

  it('the oldest goes at once when the queue is full and it answers', async () => {
    const { a, held } = await setup(1, { queueMax: 10, flushIntervalMs: 60_000 })
    for (let n = 0; n < 15; n++) await a.create(delta({ n }), LIVES)
    await turns(4)
    expect(held.size().sessions).toBeGreaterThanOrEqual(5)
    expect(a.counters()['session_mesh_far_dropped_total']).toBe(0)
  })
})

describe('whatever one side lost', () => {
  it('a far backend that comes back empty is filled again', async () => {
    const clock = new Clock()
    const far = new Remote(memory(clock.now))
    const empty = memory(clock.now)
    const { tiers: [a, b], close } = await tieredNodes(2, () => far, clock)
    closing.push(close)
    if (a === undefined || b === undefined) throw new Error('no nodes')
    const { id } = await a.create(delta({ n: 1 }), LIVES)
    await a.flush()
    far.isDown = true
    await a.create(delta({ n: 2 }), LIVES)
    await a.flush()

    far.replaceBy(empty)
    far.isDown = false

    await digestsAgree(a, b, empty)
    expect(await valuesOf(empty, id)).toEqual({ n: 1 })
  })

  it('both sides end with the later write of each attribute, in whatever order they meet', async () => {
    const { a, far, held, clock } = await setup(1, { flushIntervalMs: 60_000 })
    const { id, ref } = await a.create(delta({ near: 0, far: 0, both: 0 }), LIVES)
    await a.flush()
    far.isDown = true
    await a.save(ref, delta({ near: 1, both: 1 }), {})
    clock.advance(10)
    held.save(ref, delta({ far: 2, both: 2 }))

    far.isDown = false
    await a.flush()

    expect(await valuesOf(held, id)).toEqual({ near: 1, far: 2, both: 2 })
  })

  it('an end that the far backend learned elsewhere ends the session here', async () => {
    const { a, b, held } = await setup(2, { flushIntervalMs: 60_000 })
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    await a.flush()
    await turns(6)
    held.destroy(ref, 'destroyed')

    await a.save(ref, delta({ n: 2 }), {})
    await a.flush()
    await turns(6)

    await isNone(id, a, b, held)
  })
})
