/** Arbitrary networks and what happens on them, for the properties of the trade-off. */
import fc from 'fast-check'
import { ACKS, type Acks } from '../../../src/advisor/load.js'
import { EventQueue } from '../../../src/simulator/queue.js'
import { Random } from '../../../src/simulator/random.js'
import { CentralStore } from './central.js'
import { Mesh, type MeshOptions } from './mesh.js'
import type { Step } from './site.js'
import { Wires } from './wires.js'

const NODES_MAX = 5
/** The nodes, a store, and two replicas of it. */
const PLACES = NODES_MAX + 3

export interface Setting {
  readonly nodes: number
  /** One way, by `from * PLACES + to`, whole milliseconds. */
  readonly delaysMs: readonly number[]
  readonly loss: number
  readonly flushMs: number
  readonly acks: Acks
  readonly clockErrorsMs: readonly number[]
  readonly seed: number
}

export const setting: fc.Arbitrary<Setting> = fc.record({
  nodes: fc.integer({ min: 2, max: NODES_MAX }),
  delaysMs: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: PLACES ** 2, maxLength: PLACES ** 2 }),
  loss: fc.constantFrom(0, 0, 0.02, 0.1),
  flushMs: fc.constantFrom(0, 0, 2, 5),
  acks: fc.constantFrom(...ACKS),
  clockErrorsMs: fc.array(fc.integer({ min: -2_000, max: 2_000 }), { minLength: NODES_MAX, maxLength: NODES_MAX }),
  seed: fc.nat(),
})

/** Where nothing is lost and nothing waits to be sent, costs are exact. */
export const calm: fc.Arbitrary<Setting> = setting.map((drawn) => ({ ...drawn, loss: 0, flushMs: 0 }))

const step = fc.record({
  node: fc.nat(NODES_MAX - 1),
  thinkMs: fc.constantFrom(1, 2, 5, 20, 100),
  name: fc.option(fc.constantFrom('cart', 'name', 'theme'), { nil: undefined }),
})

/** What up to three browsers do; every value is written once. */
export const browsers: fc.Arbitrary<readonly (readonly Step[])[]> = fc
  .array(fc.array(step, { minLength: 2, maxLength: 8 }), { minLength: 1, maxLength: 3 })
  .map((all) =>
    all.map((steps, browser) =>
      steps.map(({ node, thinkMs, name }, i) => {
        return { node, thinkMs, change: name === undefined ? undefined : { name, value: `${browser}.${i}` } }
      }),
    ),
  )

export interface Place {
  readonly queue: EventQueue
  readonly wires: Wires
}

export function place({ delaysMs, loss, seed }: Setting): Place {
  const queue = new EventQueue()
  const delayMs = (from: number, to: number): number => delaysMs[from * PLACES + to] ?? 0
  return { queue, wires: new Wires(queue, { delayMs, loss, retransmitMs: 50 }, new Random(seed, 'wires')) }
}

export function mesh(drawn: Setting, { queue, wires }: Place, options: Partial<MeshOptions> = {}): Mesh {
  return new Mesh({ ...drawn, stamps: true, ...options }, queue, wires)
}

/** `asked`: how many of its two replicas have to confirm a write. */
export function central({ nodes }: Setting, { queue, wires }: Place, asked = 0): CentralStore {
  const wait = asked === 0 ? undefined : { replicas: [nodes + 1, nodes + 2], asked }
  return new CentralStore(queue, wires, nodes, wait)
}

/** Browsers go to the nodes that there are. */
export function within({ nodes }: Setting, all: readonly (readonly Step[])[]): readonly (readonly Step[])[] {
  return all.map((steps) => steps.map((one) => ({ ...one, node: one.node % nodes })))
}
