import { afterEach, describe, expect, it, vi } from 'vitest'
import type { MemoryBackend } from '../../../src/backend/memory/memory.js'
import type { TieredBackend } from '../../../src/backend/tiered/tiered.js'
import { Clock, delta, LIVES, load, memory, Remote, START, tiered, valuesOf, type Extra } from './support.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

interface Setup {
  readonly clock: Clock
  readonly held: MemoryBackend
  readonly far: Remote
  readonly a: TieredBackend
  readonly b: TieredBackend
}

async function setup(extra: Extra = {}, nearSessions?: number): Promise<Setup> {
  const clock = new Clock()
  const held = memory(clock.now)
  const far = new Remote(held)
  const open = async (): Promise<TieredBackend> => {
    const node = tiered(memory(clock.now, nearSessions), far, clock, { mode: 'near-cache', staleForMs: 60_000, ...extra })
    await node.open()
    await node.ready()
    closing.push(() => node.close())
    return node
  }
  return { clock, held, far, a: await open(), b: await open() }
}

describe('a copy', () => {
  it('answers reads without asking, and at once', async () => {
    const { a, far } = await setup()
    const { id } = await a.create(delta({ n: 1 }), LIVES)
    await valuesOf(a, id)
    far.calls.length = 0

    for (let i = 0; i < 10; i++) expect(a.load(id, undefined, { deadline: START })).toMatchObject({ state: 'found' })

    expect(far.calls).toEqual([])
    expect(a.counters()['session_mesh_near_hits_total']).toBe(10)
  })

  it('that was asked for before a change is no answer to a read after it', async () => {
    const { a, b, far, held } = await setup()
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    expect(await valuesOf(b, id)).toEqual({ n: 1 })
    await a.save(ref, delta({ n: 2 }), {})
    const before = held.exportOne(ref)
    let answer = (): void => {}
    const asked = new Promise<typeof before>((resolve) => {
      answer = () => resolve(before)
    })
    const asking = vi.spyOn(far, 'exportOne').mockReturnValueOnce(asked)
    const first = valuesOf(b, id)
    await vi.waitFor(() => expect(asking).toHaveBeenCalledOnce())
    await a.save(ref, delta({ n: 3 }), {})

    const second = valuesOf(b, id)
    answer()

    expect(await second).toEqual({ n: 3 })
    await first
    expect(await valuesOf(b, id)).toEqual({ n: 3 })
  })

  it('is asked about anew once another node changed the session', async () => {
    const { a, b } = await setup()
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    expect(await valuesOf(b, id)).toEqual({ n: 1 })

    await a.save(ref, delta({ n: 2 }), {})
    expect(await valuesOf(b, id)).toEqual({ n: 2 })

    const rotated = await a.rotate(ref, delta({}), {})
    expect(await load(b, id)).toMatchObject({ state: 'none' })
    expect(await valuesOf(b, rotated.id ?? '')).toEqual({ n: 2 })

    await a.destroy(ref, 'logged-out', {})
    expect(await load(b, rotated.id ?? '')).toMatchObject({ state: 'none' })
  })

  it('is not served for longer than configured when the event of a change was lost', async () => {
    const { a, clock, held } = await setup({ staleForMs: 1_000 })
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    await valuesOf(a, id)
    const copy = held.exportOne(ref)
    if (copy === undefined) throw new Error('not there')
    const elsewhere = memory(clock.now)
    elsewhere.importOne(copy)
    elsewhere.save(ref, delta({ n: 2 }))
    const changed = elsewhere.exportOne(ref)
    // An import makes no event.
    if (changed !== undefined) held.importOne(changed)
    expect(await valuesOf(a, id)).toEqual({ n: 1 })

    clock.advance(1_001)

    expect(await valuesOf(a, id)).toEqual({ n: 2 })
  })

  it('is not needed: without room for it the far backend answers', async () => {
    const { a, b } = await setup({}, 1)
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.push((await a.create(delta({ n }), LIVES)).id)
    for (const [n, id] of ids.entries()) expect(await valuesOf(b, id)).toEqual({ n })
  })

  it('that arrives after the end of its session is dropped', async () => {
    const { a, b, held } = await setup()
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    const exportOne = held.exportOne.bind(held)
    const copy = exportOne(ref)
    let release = (): void => {}
    const asked = vi.spyOn(held, 'exportOne').mockImplementationOnce((() => new Promise((resolve) => (release = () => resolve(copy)))) as never)
    const reading = load(b, id)
    await vi.waitFor(() => expect(asked).toHaveBeenCalled())
    await a.destroy(ref, 'logged-out', {})
    release()
    await reading

    expect(await load(b, id)).toMatchObject({ state: 'none' })
  })
})

describe('while the far backend is away', () => {
  it('copies are served and say that they may be old; what nobody knows is not denied', async () => {
    const { a, far, clock } = await setup()
    const { id } = await a.create(delta({ n: 1 }), LIVES)
    await valuesOf(a, id)
    far.isDown = true
    clock.advance(60_001)

    expect(await load(a, id)).toMatchObject({ state: 'found', stale: true })
    expect(await load(a, 'A'.repeat(48))).toMatchObject({ state: 'behind' })
  })

  it('writes are taken, answered as unknown, and merged when it is back', async () => {
    const { a, b, far, held } = await setup()
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    const gone = await a.create(delta({ n: 1 }), LIVES)
    for (const known of [id, gone.id]) await valuesOf(a, known)
    far.isDown = true

    expect(await a.save(ref, delta({ m: 2 }), {})).toMatchObject({ outcome: 'unknown' })
    expect(await a.destroy(gone.ref, 'logged-out', {})).toMatchObject({ outcome: 'unknown' })
    const late = await a.create(delta({ late: true }), LIVES)
    expect(late.outcome).toBe('unknown')
    expect(await valuesOf(a, id)).toEqual({ n: 1, m: 2 })
    expect(await load(a, gone.id)).toMatchObject({ state: 'none' })

    far.isDown = false
    await vi.waitFor(() => expect(a.counters()['session_mesh_far_waiting']).toBe(0))
    expect(await valuesOf(held, id)).toEqual({ n: 1, m: 2 })
    expect(await valuesOf(b, late.id)).toEqual({ late: true })
    expect(await load(b, gone.id)).toMatchObject({ state: 'none' })
  })

  it('logging out everywhere ends later what was logged in by then, and nothing since', async () => {
    const { a, b, far, held, clock } = await setup()
    const before = await b.create({ ...delta({}), principal: 'ada' }, LIVES)
    far.isDown = true
    clock.advance(10)
    expect(await a.revoke('ada', {})).toMatchObject({ outcome: 'unknown' })
    clock.advance(10)
    const since = held.create({ ...delta({}), principal: 'ada' }, LIVES)
    far.isDown = false

    await vi.waitFor(() => expect(held.find('ada')).toEqual([since.ref]), { timeout: 5_000 })
    expect(await load(b, before.id)).toMatchObject({ state: 'none' })
  })

  it('a save of a session that is not held here fails instead of pretending', async () => {
    const { a, b, far } = await setup()
    const { ref } = await a.create(delta({}), LIVES)
    far.isDown = true
    await expect(b.save(ref, delta({ n: 1 }), {})).rejects.toMatchObject({ status: 503 })
  })

  it('a node that starts is not ready before it answered', async () => {
    const clock = new Clock()
    const far = new Remote(memory(clock.now))
    far.isDown = true
    const node = tiered(memory(clock.now), far, clock, { mode: 'near-cache' })
    closing.push(() => node.close())
    await node.open()
    expect(node.health()).toMatchObject({ ready: false, detail: expect.stringContaining('not answered yet') })
    far.isDown = false
    await node.ready()
    expect(node.health()).toMatchObject({ ready: true })
  })
})
