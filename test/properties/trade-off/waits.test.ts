/**
 * What each way to keep sessions makes its users wait for, on arbitrary networks; claims by
 * src/advisor/trips.ts.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Acks } from '../../../src/advisor/load.js'
import { centralReadMs, centralWriteMs, replicatedReadMs, replicatedWriteMs, unseenMs } from '../../../src/advisor/trips.js'
import { browsers, calm, central, mesh, place, setting, within, type Place, type Setting } from './drawn.js'
import type { Look } from './mesh.js'
import { browse, outcome } from './site.js'

type WriteClaim = (acks: Acks, tripsMs: readonly number[]) => number

/** A write at a node waits for exactly what is claimed of the round trips to its peers. */
function writesWaitFor(claim: WriteClaim): fc.IProperty<unknown> {
  return fc.property(calm, browsers, (drawn, steps) => {
    const here = place(drawn)
    const store = mesh(drawn, here)
    for (const { kind, node, waitedMs } of browse(store, here.queue, within(drawn, steps))) {
      if (kind !== 'read') expect(waitedMs).toBe(claim(drawn.acks, store.tripsMs(node)))
    }
  })
}

/** What several nodes made is asked for: one round trip to the latest of them, which has all of it. */
function askedFor({ node, writer, at }: Look, { wires }: Place, claim: typeof replicatedReadMs): number {
  return claim(true, wires.tripMs(node, writer)) + wires.lateMs(node, writer, at) + wires.lateMs(writer, node, at)
}

/** What one node made is on its way already. */
function waitedFor({ node, missing, isAhead }: Look, { wires }: Place, claim: typeof replicatedReadMs, drawn: Setting): number {
  const [first] = missing
  if (!isAhead || first === undefined) return claim(isAhead, 0)
  return claim(true, unseenMs(drawn.flushMs, wires.delayMs(first.node, node))) + wires.lateMs(first.node, node, first.at)
}

/** A read waits for what is claimed at most, and only if it is ahead. */
function readsWaitFor(claim: typeof replicatedReadMs): fc.IProperty<unknown> {
  return fc.property(setting, browsers, (drawn, steps) => {
    const here = place(drawn)
    const store = mesh(drawn, here)
    browse(store, here.queue, within(drawn, steps))
    for (const look of store.looks) {
      // To lack what was replaced meanwhile is no reason to wait, and no harm.
      if (look.lacked !== 'replaced') expect(look.isAhead).toBe(look.lacked === 'value')
      expect(look.waitedMs).toBeLessThanOrEqual(look.asked ? askedFor(look, here, claim) : waitedFor(look, here, claim, drawn))
    }
  })
}

describe('sessions replicated to every node', () => {
  test('a write waits for nobody, the fastest, the median or the slowest peer', () => {
    fc.assert(writesWaitFor(replicatedWriteMs), { numRuns: 500 })
  })

  test('whatever is lost or sent together, a write waits for no more than that', () => {
    fc.assert(
      fc.property(setting, browsers, (drawn, steps) => {
        const here = place(drawn)
        const store = mesh(drawn, here)
        for (const { kind, node, at, waitedMs } of browse(store, here.queue, within(drawn, steps))) {
          if (kind === 'read') continue
          const worst = store.peersOf(node).map((peer) => {
            const lateMs = here.wires.lateMs(node, peer, at) + here.wires.lateMs(peer, node, at)
            return here.wires.tripMs(node, peer) + lateMs
          })
          const flushMs = drawn.acks === 'async' ? 0 : drawn.flushMs
          expect(waitedMs).toBeGreaterThanOrEqual(replicatedWriteMs(drawn.acks, store.tripsMs(node)))
          expect(waitedMs).toBeLessThanOrEqual(flushMs + replicatedWriteMs(drawn.acks, worst))
        }
      }),
      { numRuns: 400 },
    )
  })

  test('a read waits for nobody unless its browser is ahead, and then until what it has seen is there', () => {
    fc.assert(readsWaitFor(replicatedReadMs), { numRuns: 400 })
  })

  test('which is at most one round trip to one who has it, and asks nobody where one node made what is missing', () => {
    fc.assert(
      fc.property(calm, browsers, (drawn, steps) => {
        const here = place(drawn)
        const store = mesh(drawn, here)
        browse(store, here.queue, within(drawn, steps))
        for (const { node, writer, missing, asked, waitedMs } of store.looks) {
          const makers = new Set(missing.map((made) => made.node))
          const holder = makers.size === 1 ? Number([...makers][0]) : writer
          expect(waitedMs).toBeLessThanOrEqual(here.wires.tripMs(node, holder))
          if (asked) expect(makers.size).toBeGreaterThan(1)
        }
      }),
      { numRuns: 400 },
    )
  })
})

describe('sessions in a central store', () => {
  test('a read waits for one round trip, a write too, and for two and its replicas if they confirm', () => {
    fc.assert(
      fc.property(calm, fc.constantFrom(0, 1, 2), browsers, (drawn, asked, steps) => {
        const here = place(drawn)
        const store = central(drawn, here, asked)
        for (const { kind, node, waitedMs } of browse(store, here.queue, within(drawn, steps))) {
          const tripMs = here.wires.tripMs(node, drawn.nodes)
          const claimed = kind === 'read' ? centralReadMs(tripMs) : centralWriteMs(tripMs, store.waitFor)
          expect(waitedMs).toBe(claimed)
        }
      }),
      { numRuns: 400 },
    )
  })
})

describe('both', () => {
  test('come to the same sessions, which are what was done one after the other', () => {
    fc.assert(
      fc.property(setting, fc.constantFrom(0, 1, 2), browsers, (drawn, asked, drawnSteps) => {
        const steps = within(drawn, drawnSteps)
        const there = place(drawn)
        const replicated = mesh(drawn, there)
        const here = place(drawn)
        const stored = central(drawn, here, asked)

        browse(replicated, there.queue, steps)
        browse(stored, here.queue, steps)

        const expected = outcome(steps)
        for (const copy of [...replicated.copies(), ...stored.copies()]) expect(copy).toEqual(expected)
      }),
      { numRuns: 400 },
    )
  })
})

describe('a wrong claim is caught', () => {
  const fastest: WriteClaim = (acks, tripsMs) => (acks === 'async' ? 0 : Math.min(...tripsMs))
  const instead = (of: Acks, claim: WriteClaim): WriteClaim => (acks, tripsMs) =>
    acks === of ? claim(acks, tripsMs) : replicatedWriteMs(acks, tripsMs)

  test.each<readonly [wrong: string, claim: WriteClaim]>([
    ['a quorum costs the fastest round trip', instead('quorum', fastest)],
    ['a quorum costs the slowest round trip', instead('quorum', (_, tripsMs) => Math.max(...tripsMs))],
    ['confirmation by all costs the fastest', instead('all', fastest)],
    ['confirmation is free', () => 0],
    ['two round trips', (acks, tripsMs) => 2 * replicatedWriteMs(acks, tripsMs)],
  ])('%s', (_wrong, claim) => {
    expect(fc.check(writesWaitFor(claim), { numRuns: 500 }).failed).toBe(true)
  })

  test('a read never waits', () => {
    expect(fc.check(readsWaitFor(() => 0), { numRuns: 400 }).failed).toBe(true)
  })

  test('a read waits even if its node has everything', () => {
    const always = fc.property(setting, browsers, (drawn, steps) => {
      const here = place(drawn)
      const store = mesh(drawn, here)
      browse(store, here.queue, within(drawn, steps))
      expect(store.looks.every(({ isAhead }) => isAhead)).toBe(true)
    })
    expect(fc.check(always, { numRuns: 100 }).failed).toBe(true)
  })
})
