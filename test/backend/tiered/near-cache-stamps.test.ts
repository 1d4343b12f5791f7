/** What a browser has seen on one node it sees on every other, also while the event of the change is on its way. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { LoadResult, PortableSession, SeenTokens, SessionBackend } from '../../../src/backend/backend.js'
import type { MemoryBackend } from '../../../src/backend/memory/memory.js'
import type { TieredBackend } from '../../../src/backend/tiered/tiered.js'
import { deferred } from '../../../src/deferred.js'
import { LoopbackHub } from '../../../src/transport/loopback.js'
import { counted, stamps } from './counted.js'
import { Clock, delta, LIVES, memory, Remote, replicatedNode, seals, START, tiered, valuesIn } from './support.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

interface Setup {
  readonly held: MemoryBackend
  readonly far: Remote
  readonly a: TieredBackend
  readonly b: TieredBackend
  /** Events that were not delivered yet. */
  readonly events: (() => void)[]
}

/** Two nodes that hear of nothing until the test delivers it. */
async function setup(near: (now: () => number) => SessionBackend = memory): Promise<Setup> {
  const clock = new Clock()
  const held = memory(clock.now)
  const events: (() => void)[] = []
  const far = new Remote(counted(held, (tell) => events.push(tell)))
  const open = async (): Promise<TieredBackend> => {
    const node = tiered(near(clock.now), far, clock, { mode: 'near-cache', staleForMs: 60_000, seals })
    await node.open()
    await node.ready()
    closing.push(() => node.close())
    return node
  }
  return { held, far, a: await open(), b: await open(), events }
}

/** A node of a cluster whose other nodes are out of reach. */
function lonely(now: () => number): SessionBackend {
  return replicatedNode(new LoopbackHub(), '127.0.0.1:1', ['127.0.0.1:2'], now)
}

type Found = Extract<LoadResult, { state: 'found' }>

async function read(node: TieredBackend, id: string, seen?: SeenTokens): Promise<Found & { values: object }> {
  const answer = await node.load(id, seen, { deadline: Infinity })
  if (answer.state !== 'found') throw new Error(`not found: ${JSON.stringify(answer)}`)
  return { ...answer, values: valuesIn(answer.session) }
}

/** The next answer to who asks for a copy: it comes when the test says so. */
function lateAnswer(far: Remote, session: PortableSession): { answer: () => void } {
  const late = deferred<PortableSession>()
  vi.spyOn(far, 'exportOne').mockReturnValueOnce(late.promise)
  return { answer: () => late.resolve(session) }
}

describe('a browser', () => {
  it.each([
    ['memory', memory],
    ['replicated memory', lonely],
  ] as const)('reads its write on another node whose copy in %s has not heard of it', async (_name, near) => {
    const { a, b } = await setup(near)
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    expect((await read(b, id)).values).toEqual({ n: 1 })

    const { seen } = await a.save(ref, delta({ n: 2 }), {})

    expect((await read(b, id, seen)).values).toEqual({ n: 2 })
  })

  it('without a stamp reads a copy that may be as old as configured', async () => {
    const { a, b } = await setup()
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    await read(b, id)
    await a.save(ref, delta({ n: 2 }), {})

    expect((await read(b, id)).values).toEqual({ n: 1 })
  })

  it('that has read a write on one node reads nothing older on another', async () => {
    const { a, b } = await setup()
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    await read(b, id)
    await a.save(ref, delta({ n: 2 }), {})

    const { seen, values } = await read(a, id)

    expect(values).toEqual({ n: 2 })
    expect((await read(b, id, seen)).values).toEqual({ n: 2 })
  })

  it('is answered without asking where the copy has what it has seen, and is told nothing twice', async () => {
    const { a, b, far } = await setup(lonely)
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    const { seen } = await a.save(ref, delta({ n: 2 }), {})
    await read(b, id, seen)
    far.calls.length = 0

    const again = b.load(id, seen, { deadline: START })

    expect(again).toMatchObject({ state: 'found' })
    expect(again).not.toHaveProperty('seen')
    expect(far.calls).toEqual([])
  })

  it('is not given what another request was asking for before its write', async () => {
    const { a, b, far, held } = await setup()
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    await read(b, id)
    const before = await a.save(ref, delta({ n: 2 }), {})
    const { answer } = lateAnswer(far, { ...held.exportOne(ref)!, commits: 2 })
    const first = read(b, id, before.seen)
    const { seen } = await a.save(ref, delta({ n: 3 }), {})
    const second = read(b, id, seen)
    answer()

    expect((await first).values).toEqual({ n: 2 })
    expect((await second).values).toEqual({ n: 3 })
  })

  it('is not given later what was asked for before an event', async () => {
    const { a, b, far, held, events } = await setup()
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    await read(b, id)
    const before = await a.save(ref, delta({ n: 2 }), {})
    const { answer } = lateAnswer(far, { ...held.exportOne(ref)!, commits: 2 })
    const first = read(b, id, before.seen)
    await a.save(ref, delta({ n: 3 }), {})
    for (const tell of events.splice(0)) tell()
    answer()
    await first

    expect((await read(b, id)).values).toEqual({ n: 3 })
  })

  it('is not served the older copy while that is being asked about', async () => {
    const { a, b, far, events } = await setup()
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    await read(b, id)
    await a.save(ref, delta({ n: 2 }), {})
    for (const tell of events.splice(0)) tell()
    let answer = (): void => {}
    const exportOne = far.exportOne.bind(far)
    const asking = vi.spyOn(far, 'exportOne').mockImplementationOnce(async (asked) => {
      await new Promise<void>((resolve) => (answer = resolve))
      return await exportOne(asked)
    })
    const first = read(b, id)
    await vi.waitFor(() => expect(asking).toHaveBeenCalledOnce())
    const second = read(b, id)
    answer()

    expect([(await first).values, (await second).values]).toEqual([{ n: 2 }, { n: 2 }])
  })

  it('that has seen what the truth has lost is served what is left, marked, and told so', async () => {
    const { a, b } = await setup()
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    const ahead = stamps.sealed(ref, 9, undefined)

    const first = await read(b, id, ahead)
    expect(first).toMatchObject({ values: { n: 1 }, stale: true })

    expect(stamps.commitsIn(first.seen, ref)).toBe(1)
    expect(await read(b, id, first.seen)).not.toHaveProperty('stale')
  })

  it('is not told of commits that only this node has taken while the truth was away', async () => {
    const { a, far } = await setup(lonely)
    const { id, ref } = await a.create(delta({ n: 1 }), LIVES)
    const { seen } = await read(a, id)
    far.isDown = true

    const saved = await a.save(ref, delta({ n: 2 }), seen === undefined ? {} : { seen })

    expect(saved).toEqual({ outcome: 'unknown' })
    expect(await read(a, id, seen)).toMatchObject({ values: { n: 2 }, stale: true })
  })
})
