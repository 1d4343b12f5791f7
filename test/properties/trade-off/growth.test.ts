/**
 * Bytes on the wires and in memory grow by the laws of src/advisor: fitted to a few settings, held against
 * others.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fit } from '../../../src/advisor/fit.js'
import { predict, total, type FittedLaw, type Law, type Observation } from '../../../src/advisor/law.js'
import { MEMORY, REPLICATED_TRAFFIC } from '../../../src/advisor/laws.js'
import { ACKS, writeRate, type Load } from '../../../src/advisor/load.js'
import { EventQueue } from '../../../src/simulator/queue.js'
import { Random } from '../../../src/simulator/random.js'
import { Mesh, type MeshCookie } from './mesh.js'
import { Wires } from './wires.js'

const SECONDS = 4
const SETTLE_MS = 3_000

interface Grown {
  readonly bytesPerSecond: number
  readonly heldBytes: readonly number[]
}

/** Sessions of one attribute, which is written over and over at a steady rate, on every node in turn. */
function run({ sessions, bytes, rate, writes, nodes, rttMs, acks }: Load): Grown {
  const queue = new EventQueue()
  const wires = new Wires(queue, { delayMs: () => rttMs / 2, loss: 0, retransmitMs: 0 }, new Random(1, 'wires'))
  const mesh = new Mesh({ nodes, acks, stamps: false, flushMs: 0, clockErrorsMs: [] }, queue, wires)
  const cookies: MeshCookie[] = []
  const write = (turn: number): void => {
    const cookie = cookies[turn % sessions]
    if (cookie === undefined) return
    const change = { name: 'cart', value: 'x'.repeat(bytes) }
    mesh.write(turn % nodes, cookie, change, () => {})
  }
  for (let session = 0; session < sessions; session++) {
    mesh.create(session % nodes, session, ({ cookie }) => cookies.push(cookie))
  }
  queue.runUntil(queue.now + SETTLE_MS)
  for (let session = 0; session < sessions; session++) write(session)
  queue.runUntil(queue.now + SETTLE_MS)

  const before = mesh.totalBytes
  const turns = Math.round(rate * writes * SECONDS)
  for (let turn = 0; turn < turns; turn++) queue.after(((turn + 0.5) / turns) * SECONDS * 1_000, () => write(turn))
  queue.runUntil(queue.now + SECONDS * 1_000)
  return { bytesPerSecond: (mesh.totalBytes - before) / SECONDS, heldBytes: mesh.heldBytes }
}

function* grid(): Generator<Load> {
  for (const nodes of [2, 4, 7]) {
    for (const bytes of [8, 400]) {
      for (const [rate, writes] of [[20, 0.1], [90, 1]] as const) {
        for (const acks of ACKS.slice(0, 2)) {
          yield { sessions: 12, bytes, changeBytes: bytes, rate, writes, nodes, rttMs: 10, acks }
        }
      }
    }
  }
}

const cells = [...grid()].map((setting) => ({ setting, source: 'grid', ...run(setting) }))
const trafficSeen: readonly Observation<Load>[] = cells.map((cell) => ({ ...cell, value: cell.bytesPerSecond }))
const memorySeen: readonly Observation<Load>[] = cells.map((cell) => ({ ...cell, value: cell.heldBytes[0] ?? 0 }))

const load: fc.Arbitrary<Load> = fc
  .record({
    // Every node has made some: what nodes tell at rest is a list of those that have.
    sessions: fc.integer({ min: 7, max: 20 }),
    bytes: fc.integer({ min: 8, max: 2_000 }),
    rate: fc.integer({ min: 10, max: 100 }),
    writes: fc.double({ min: 0.05, max: 1, noNaN: true }),
    nodes: fc.integer({ min: 2, max: 7 }),
    rttMs: fc.integer({ min: 0, max: 60 }),
    acks: fc.constantFrom(...ACKS),
  })
  .map((drawn) => ({ ...drawn, changeBytes: drawn.bytes }))

/** Where each term of the law is at its largest beside the others. */
const corners: [Load][] = [2, 7].flatMap((nodes): [Load][] => {
  const idle = { sessions: 7, bytes: 8, changeBytes: 8, rate: 10, writes: 0.05, nodes, rttMs: 1, acks: 'async' } as const
  return [[idle], [{ ...idle, rate: 100, writes: 1 }], [{ ...idle, rate: 100, writes: 1, acks: 'all' }]]
})
// Was further off than a tenth when the law was fitted to 5 to 50 writes a second of 20 bytes and more.
corners.push([{ sessions: 10, bytes: 8, changeBytes: 8, rate: 83, writes: 0.9894578313253012, nodes: 7, rttMs: 0, acks: 'async' }])
const RUNS = { numRuns: 150, examples: corners }

/**
 * Traffic within a tenth (numbers take one to nine bytes, by their size), what is held within a thousandth.
 */
function holds({ traffic, memory }: Readonly<Record<'traffic' | 'memory', FittedLaw<Load>>>): fc.IProperty<unknown> {
  return fc.property(load, (drawn) => {
    const { bytesPerSecond, heldBytes } = run(drawn)
    const written = { ...drawn, writes: Math.round(drawn.rate * drawn.writes * SECONDS) / drawn.rate / SECONDS }
    expect(Math.abs(total(predict(traffic, written)) / bytesPerSecond - 1)).toBeLessThan(0.1)
    for (const bytes of heldBytes) expect(Math.abs(total(predict(memory, written)) / bytes - 1)).toBeLessThan(0.001)
  })
}

const fitted = { traffic: fit(REPLICATED_TRAFFIC, trafficSeen), memory: fit(MEMORY, memorySeen) }

describe('what the advisor expects of loads that it was not fitted to', () => {
  test('bytes on the wires and bytes held on every node are as its laws say', () => {
    fc.assert(holds(fitted), RUNS)
  })

  test('each byte changed goes to each peer once, and is held once', () => {
    const perByte = fitted.traffic.coefficients[1] ?? 0

    expect(perByte).toBeGreaterThan(0.99)
    expect(perByte).toBeLessThan(1.02)
    expect(fitted.memory.coefficients[1]).toBeCloseTo(1, 6)
  })
})

describe('a wrong law is caught', () => {
  const without = (law: Law<Load>, name: string): Law<Load> => {
    return { ...law, terms: law.terms.filter((term) => term.name !== name) }
  }

  test.each(REPLICATED_TRAFFIC.terms.map(({ name }) => name))('one that forgets %s', (name) => {
    const forgetful = { ...fitted, traffic: fit(without(REPLICATED_TRAFFIC, name), trafficSeen) }

    expect(fc.check(holds(forgetful), RUNS).failed).toBe(true)
  })

  test('one by which a write costs the same whatever the number of nodes', () => {
    const [first, ...rest] = REPLICATED_TRAFFIC.terms
    const perWrite = { name: 'each write', of: writeRate }
    const flat = { ...REPLICATED_TRAFFIC, terms: [perWrite, ...rest] }

    expect(first?.name).toBe('each write, per peer')
    expect(fc.check(holds({ ...fitted, traffic: fit(flat, trafficSeen) }), RUNS).failed).toBe(true)
  })
})
