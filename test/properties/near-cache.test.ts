import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { SeenTokens } from '../../src/backend/backend.js'
import type { TieredBackend } from '../../src/backend/tiered/tiered.js'
import { counted } from '../backend/tiered/counted.js'
import { Clock, delta, LIVES, memory, Remote, seals, tiered, turns, valuesIn } from '../backend/tiered/support.js'

const NODES = 3
/** Turns of the event loop. */
const CALL_MAX = 4
const EVENT_MAX = 40

/** What one browser does next, on which node, and how long it thinks before. */
interface Click {
  readonly node: number
  readonly act: 'read' | 'write' | 'rotate'
  readonly pause: number
}

const click: fc.Arbitrary<Click> = fc.record({
  node: fc.nat(NODES - 1),
  act: fc.constantFrom('read', 'read', 'write', 'write', 'rotate'),
  pause: fc.nat(3),
})

interface Site {
  readonly nodes: readonly TieredBackend[]
  readonly close: () => Promise<void>
}

/** Calls take up to CALL_MAX turns each way, events up to EVENT_MAX, by the drawn numbers in turn. */
async function siteOf(delays: readonly number[]): Promise<Site> {
  const clock = new Clock()
  let drawn = 0
  const upTo = (max: number): number => (delays[drawn++ % delays.length] ?? 0) % (max + 1)
  const truth = counted(memory(clock.now), (tell) => void turns(upTo(EVENT_MAX)).then(tell))
  const nodes = Array.from({ length: NODES }, () => {
    const far = new Remote(truth, () => upTo(CALL_MAX))
    return tiered(memory(clock.now), far, clock, { mode: 'near-cache', staleForMs: 60_000, seals })
  })
  for (const node of nodes) await node.open()
  await Promise.all(nodes.map((node) => node.ready()))
  return { nodes, close: async () => void (await Promise.all(nodes.map((node) => node.close()))) }
}

/**
 * One request after the other, cookies kept like a browser keeps them. Before each of them somebody without stamps asks
 * every node for the session, so that there is an older answer on its way.
 */
async function browse({ nodes }: Site, clicks: readonly Click[]): Promise<void> {
  const cookies = new Map<string, string>()
  const keep = (seen: SeenTokens | undefined): void => {
    for (const [slot, token] of seen ?? []) cookies.set(slot, token)
  }
  const nodeOf = (number: number): TieredBackend => nodes[number] as TieredBackend
  const created = await nodeOf(0).create(delta({ n: 0 }), LIVES)
  keep(created.seen)
  let { id } = created
  let written = 0
  const others: unknown[] = []
  for (const { node, act, pause } of clicks) {
    for (const each of nodes) others.push(each.load(id, undefined, { deadline: Infinity }))
    await turns(pause)
    const seen = new Map(cookies)
    const found = await nodeOf(node).load(id, seen, { deadline: Infinity })
    if (found.state !== 'found') throw new Error(`a live session is ${found.state}`)
    expect(valuesIn(found.session)).toMatchObject({ n: written })
    expect(found.stale).toBeUndefined()
    keep(found.seen)
    if (act === 'read') continue
    const change = delta({ n: ++written })
    const done = act === 'write'
      ? await nodeOf(node).save(found.ref, change, { seen })
      : await nodeOf(node).rotate(found.ref, change, { seen })
    expect(done.outcome).toBe('done')
    if ('id' in done && done.id !== undefined) id = done.id
    keep(done.seen)
  }
  await Promise.all(others)
}

it('a browser with its stamps reads what it wrote, on every node, whatever is late', { timeout: 300_000 }, async () => {
  const manyClicks = fc.array(click, { minLength: 2, maxLength: 20 })
  const manyDelays = fc.array(fc.nat(999), { minLength: 8, maxLength: 64 })
  const property = fc.asyncProperty(manyClicks, manyDelays, async (clicks, delays) => {
    const site = await siteOf(delays)
    try {
      await browse(site, clicks)
    } finally {
      await site.close()
    }
  })
  await fc.assert(property, { numRuns: Number(process.env['SEQUENCES'] ?? 300) })
})
