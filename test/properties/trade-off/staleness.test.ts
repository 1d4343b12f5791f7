/** When a read meets less than its browser has seen; claims by src/advisor. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { staleShare } from '../../../src/advisor/staleness.js'
import { unseenMs } from '../../../src/advisor/trips.js'
import { EventQueue } from '../../../src/simulator/queue.js'
import { Random } from '../../../src/simulator/random.js'
import { browsers, calm, central, mesh, place, setting, within } from './drawn.js'
import { Mesh } from './mesh.js'
import { browse, type Step, type Visit } from './site.js'
import { Wires } from './wires.js'

/** The latest write of each attribute that its browser made before this read. */
function writesBefore(read: Visit, visits: readonly Visit[]): readonly Visit[] {
  const latest = new Map<string, Visit>()
  for (const visit of visits) {
    const { session, changed, at } = visit
    if (session === read.session && changed !== undefined && at < read.at) latest.set(changed, visit)
  }
  return [...latest.values()]
}

function placeOf({ session, node }: { readonly session: number; readonly node: number }): string {
  return `${session} at ${node}`
}

/** Without stamps, clocks agree: what browsers write must be ordered by something. */
const bare = { stamps: false, clockErrorsMs: [] }

/**
 * On a network that loses nothing, a read is stale exactly while a write is unseen for as long as is claimed.
 */
function staleJustWhile(claim: typeof unseenMs): fc.IProperty<unknown> {
  return fc.property(calm, browsers, (drawn, drawnSteps) => {
    const here = place(drawn)
    const store = mesh(drawn, here, bare)
    const visits = browse(store, here.queue, within(drawn, drawnSteps))
    // A node that does not know a session at all waits for it, stamp or not: what it serves is of a later moment.
    const waited = new Set(store.looks.filter((look) => look.isAhead).map(placeOf))
    for (const read of visits.filter((visit) => visit.kind === 'read' && !waited.has(placeOf(visit)))) {
      const ages = writesBefore(read, visits).map(({ at, node }) => {
        return read.at - at - claim(0, here.wires.delayMs(node, read.node))
      })
      if (ages.every((ms) => ms !== 0)) expect(read.stale).toBe(ages.some((ms) => ms < 0))
    }
  })
}

describe('sessions replicated to every node', () => {
  test('without stamps, a read is stale exactly while a write is on its way', () => {
    fc.assert(staleJustWhile(unseenMs), { numRuns: 500 })
  })

  test('without stamps, whatever is lost or sent together, no read is stale for longer', () => {
    fc.assert(
      fc.property(setting, browsers, (drawn, drawnSteps) => {
        const here = place(drawn)
        const visits = browse(mesh(drawn, here, bare), here.queue, within(drawn, drawnSteps))
        for (const read of visits.filter(({ stale }) => stale)) {
          const bounds = writesBefore(read, visits).map(({ at, node }) => {
            const punctual = at + unseenMs(drawn.flushMs, here.wires.delayMs(node, read.node))
            return punctual + here.wires.lateMs(node, read.node, at)
          })
          expect(read.at).toBeLessThanOrEqual(Math.max(...bounds))
        }
      }),
      { numRuns: 500 },
    )
  })

  test('with stamps none is, whatever is lost and however wrong the clocks are', () => {
    fc.assert(
      fc.property(setting, browsers, (drawn, steps) => {
        const here = place(drawn)
        const visits = browse(mesh(drawn, here), here.queue, within(drawn, steps))
        expect(visits.filter(({ stale }) => stale)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('how many are stale without stamps is what the formula says', () => {
    const [nodes, delayMs, meanThinkMs, writes] = [3, 5, 12, 0.3]
    const queue = new EventQueue()
    const wires = new Wires(queue, { delayMs: () => delayMs, loss: 0, retransmitMs: 0 }, new Random(1, 'wires'))
    const store = new Mesh({ nodes, acks: 'async', flushMs: 0, ...bare }, queue, wires)
    const dice = new Random(1, 'browsers')
    const sessions = 40
    const steps = Array.from({ length: sessions }, (_, session) =>
      Array.from({ length: 500 }, (_step, i): Step => {
        const change = dice.chance(writes) ? { name: 'cart', value: `${session}.${i}` } : undefined
        return { node: dice.integer(0, nodes - 1), thinkMs: dice.exponential(meanThinkMs), change }
      }),
    )

    const reads = browse(store, queue, steps).filter(({ kind }) => kind === 'read')

    const rate = (sessions / meanThinkMs) * 1_000
    const load = { sessions, rate, writes, nodes, bytes: 0, changeBytes: 0, rttMs: 2 * delayMs, acks: 'async' } as const
    const measured = reads.filter(({ stale }) => stale).length / reads.length
    expect(reads.length).toBe(20_000)
    expect(measured / staleShare(load, delayMs)).toBeGreaterThan(0.93)
    expect(measured / staleShare(load, delayMs)).toBeLessThan(1.07)
  })
})

describe('sessions in a central store', () => {
  test('no read is stale', () => {
    fc.assert(
      fc.property(setting, fc.constantFrom(0, 1, 2), browsers, (drawn, asked, steps) => {
        const here = place(drawn)
        const visits = browse(central(drawn, here, asked), here.queue, within(drawn, steps))
        expect(visits.filter(({ stale }) => stale)).toEqual([])
      }),
      { numRuns: 200 },
    )
  })
})

describe('a wrong claim is caught', () => {
  test.each<readonly [wrong: string, claim: typeof unseenMs]>([
    ['a write is seen at once', () => 0],
    ['it is unseen for half the way', (flushMs, oneWayMs) => flushMs + oneWayMs / 2],
    ['it is unseen for a round trip', (flushMs, oneWayMs) => flushMs + 2 * oneWayMs],
  ])('%s', (_wrong, claim) => {
    expect(fc.check(staleJustWhile(claim), { numRuns: 500 }).failed).toBe(true)
  })
})
