/**
 * More nodes than a machine can hold as processes: the same replicas in virtual time, over the same codec, on a
 * network without faults. What it says are counts of messages and bytes; its times are those of its network, on which
 * a message travels for 0.2 to 3 ms.
 */
import { randomOf } from '../method/random.js'
import { quantile } from '../method/figures.js'
import { REPLICA_DEFAULTS } from '../../src/replica/options.js'
import type { Checker, CheckerFactory } from '../../src/simulator/checkers/checker.js'
import { drawPlan, type Plan } from '../../src/simulator/plan.js'
import { World } from '../../src/simulator/world.js'
import { RegisterKind, type Dot, type IdHash } from '../../src/session/session.js'
import { SEAL_BYTES } from '../../src/transport/limits.js'

export interface Simulated {
  readonly messagesPerWrite: number
  /** Over all links together. */
  readonly bytesPerWrite: number
  readonly idleBytesPerSecond: number
  /** Until the last node has a write, virtual milliseconds. */
  readonly convergedP50: number
  readonly convergedLongest: number
}

export interface SimulatedLoad {
  readonly nodes: number
  readonly writes: number
  /** Of the value that each write replaces. */
  readonly bytes: number
  readonly seed: number
}

/** All nodes are up, linked and agree after this, virtual milliseconds. */
const SETTLED_AT_MS = 6_000
const MEASURED_MS = 3_000
const SESSIONS = 100
const LASTING = { maxIdleMs: Infinity, maxLifeMs: Infinity } as const

export function simulate({ nodes, writes, bytes, seed }: SimulatedLoad): Simulated {
  const propagation = new Propagation(nodes)
  const world = new World(calmPlan(nodes, seed), [propagation.checker])
  const random = randomOf(seed)
  const value = new Uint8Array(bytes)
  const anyNode = (): World['nodes'][number] | undefined => world.nodes[Math.floor(random() * nodes)]
  const births: Dot[] = []

  world.queue.runUntil(SETTLED_AT_MS)
  for (let i = 0; i < SESSIONS; i++) births.push(create(world, i))
  world.queue.runUntil(world.queue.now + MEASURED_MS)
  const idle = during(world, () => {})
  propagation.begin()
  const busy = during(world, () => {
    for (let i = 0; i < writes; i++) {
      world.queue.after(random() * MEASURED_MS, () => {
        const birth = births[i % births.length]
        if (birth !== undefined) write(anyNode(), birth, value)
      })
    }
  })
  // The last ones are still on their way.
  world.queue.runUntil(world.queue.now + MEASURED_MS)
  if (propagation.waits.length !== writes) throw new Error(`${propagation.waits.length} of ${writes} writes reached every node`)
  return {
    messagesPerWrite: (busy.sent - idle.sent) / writes,
    bytesPerWrite: (framed(busy) - framed(idle)) / writes,
    idleBytesPerSecond: (framed(idle) / MEASURED_MS) * 1_000,
    convergedP50: quantile(propagation.waits, 0.5),
    convergedLongest: Math.max(...propagation.waits),
  }
}

/** No faults, no browsers, no wrong clocks, and replicas as they are configured by default. */
function calmPlan(nodes: number, seed: number): Plan {
  const { killsKeptMs, killsMax, partFragmentsMax, stampDotsMax } = REPLICA_DEFAULTS
  const replica = { killsKeptMs, killsMax, partFragmentsMax, stampDotsMax }
  const drawn = drawPlan({ seed, nodes, browsers: 0 })
  const calm = { faults: [], merges: false, imports: false, clockErrorMs: 0, waitsForExpiry: false }
  return { ...drawn, ...calm, lifetimes: LASTING, replica }
}

function create(world: World, number: number): Dot {
  const node = world.nodes[number % world.nodes.length]
  const replica = node?.process?.replica
  if (node === undefined || replica === undefined) throw new Error('a node of the simulation is down')
  const birth = replica.nextDot
  const base = { createdAt: node.now, ...LASTING }
  // As long as the hash of a real id.
  const id = `session-${number}`.padEnd(22, '-') as IdHash
  node.receive({
    type: 'commit',
    request: 0,
    commit: { type: 'create', id, base, writes: [] },
    concern: 'async',
    deadline: Infinity,
  })
  return birth
}

function write(node: World['nodes'][number] | undefined, birth: Dot, value: Uint8Array): void {
  const writes = [{ name: 'a0', kind: RegisterKind.lww, value }]
  node?.receive({
    type: 'commit',
    request: 0,
    commit: { type: 'write', birth, writes },
    concern: 'async',
    deadline: Infinity,
  })
}

interface Traffic {
  readonly sent: number
  readonly bytes: number
}

function during({ queue, network }: World, happens: () => void): Traffic {
  const { sent, bytes } = network.counts
  happens()
  queue.runUntil(queue.now + MEASURED_MS)
  return { sent: network.counts.sent - sent, bytes: network.counts.bytes - bytes }
}

/** The simulated network carries bare messages; real links seal each. */
function framed({ sent, bytes }: Traffic): number {
  return bytes + sent * SEAL_BYTES
}

/** Waits for every event until the last of the other nodes has taken it in. */
class Propagation {
  readonly waits: number[] = []
  readonly #others: number
  readonly #open = new Map<string, { readonly at: number; left: number }>()
  #counts = false

  constructor(nodes: number) {
    this.#others = nodes - 1
  }

  begin(): void {
    this.#counts = true
  }

  readonly checker: CheckerFactory = (scene): Checker => ({
    name: 'propagation',
    made: (_node, _process, { dot }) => {
      if (this.#counts) this.#open.set(nameOf(dot), { at: scene.now, left: this.#others })
    },
    stepped: (_node, { actor, observation }) => {
      for (const dot of observation.claimed) {
        const open = dot.actor === actor ? undefined : this.#open.get(nameOf(dot))
        if (open === undefined || --open.left > 0) continue
        this.#open.delete(nameOf(dot))
        this.waits.push(scene.now - open.at)
      }
    },
  })
}

function nameOf({ actor, counter }: Dot): string {
  return `${actor}:${counter}`
}
