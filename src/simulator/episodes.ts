import type { Calm } from './calm.js'
import type { Network } from './network.js'
import type { SimulatedNode } from './node.js'
import type { EventQueue } from './queue.js'
import type { Random } from './random.js'

/** Everything that can go wrong. */
export const FAULT_KINDS = [
  'loss',
  'duplication',
  'reordering',
  'delay',
  'slow-link',
  'overflow',
  'reset',
  'cut',
  'one-way-cut',
  'split',
  'stall',
  'pause',
  'crash',
  'restore',
  'leave',
  'clock-jump',
  'clock-drift',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

/** What faults may reach. */
export interface FaultHost {
  readonly nodes: readonly SimulatedNode[]
  readonly network: Network
  readonly queue: EventQueue
  readonly calm: Calm
  /** The usual error of each node's clock, milliseconds. */
  readonly clockErrors: readonly number[]
  note(text: string): void
}

/** One fault at work. */
export interface Episode {
  readonly description: string
  readonly durationMs: number
  readonly end: () => void
}

const DAY_MS = 86_400_000
const NOTHING = (): void => {}

/** Draws whom a fault hits, how hard and for how long, and does it. */
export class Episodes {
  readonly #host: FaultHost
  readonly #random: Random

  constructor(host: FaultHost, random: Random) {
    this.#host = host
    this.#random = random
  }

  /** Begins a fault; undefined where there is nobody left whom it could hit. */
  begin(kind: FaultKind): Episode | undefined {
    const random = this.#random
    switch (kind) {
      case 'loss':
        return this.#worsen('loss', random.between(0.01, 0.3))
      case 'duplication':
        return this.#worsen('duplication', random.between(0.05, 0.5))
      case 'reordering':
        return this.#worsen('reordering', random.between(0.05, 0.5), random.between(5, 100))
      case 'delay':
        return this.#worsen('delayMs', random.between(5, 500))
      case 'slow-link':
        return this.#slowLink()
      case 'overflow':
        return this.#overflow()
      case 'reset':
        return this.#reset()
      case 'cut':
        return this.#cut(this.#pair(), true)
      case 'one-way-cut':
        return this.#cut(this.#pair(), false)
      case 'split':
        return this.#split()
      case 'stall':
        return this.#pause(random.between(100, 2_500))
      case 'pause':
        return this.#pause(random.between(2_500, 15_000))
      case 'crash':
        return this.#crash('nothing')
      case 'restore':
        return this.#crash('snapshot')
      case 'leave':
        return this.#leave()
      case 'clock-jump':
        return this.#clockJump()
      case 'clock-drift':
        return this.#clockDrift()
    }
  }

  // ── The network ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Some or all ways get worse in one respect. */
  #worsen(what: 'loss' | 'duplication' | 'reordering' | 'delayMs', amount: number, delayMs = 0): Episode {
    const { nodes, network } = this.#host
    const everywhere = this.#random.chance(0.5)
    const ways: (readonly [number, number])[] = []
    for (const from of nodes) {
      for (const to of nodes)
        if (from !== to && (everywhere || this.#random.chance(0.25))) ways.push([from.index, to.index])
    }
    for (const [from, to] of ways) {
      const conditions = network.conditions(from, to)
      conditions[what] = amount
      if (delayMs > 0) conditions.delayMs = delayMs
    }
    const end = (): void => {
      for (const [from, to] of ways) {
        const conditions = network.conditions(from, to)
        conditions[what] = 0
        if (delayMs > 0) conditions.delayMs = 0
      }
    }
    return {
      description: `${amount.toFixed(2)} on ${ways.length} ways`,
      durationMs: this.#random.between(500, 15_000),
      end,
    }
  }

  #slowLink(): Episode {
    const [a, b] = this.#pair()
    const conditions = this.#host.network.conditions(a, b)
    conditions.delayMs = this.#random.between(500, 2_500)
    const end = (): void => {
      conditions.delayMs = 0
    }
    return { description: `node-${a} to node-${b}`, durationMs: this.#random.between(2_000, 20_000), end }
  }

  #overflow(): Episode {
    const [a, b] = this.#pair()
    const { network } = this.#host
    network.overflow(a, b)
    return {
      description: `node-${a} to node-${b}`,
      durationMs: this.#random.between(200, 8_000),
      end: () => network.drained(a, b),
    }
  }

  #reset(): Episode {
    const [a, b] = this.#pair()
    this.#host.network.reset(a, b)
    return { description: `node-${a} and node-${b}`, durationMs: 0, end: NOTHING }
  }

  #cut([a, b]: readonly [number, number], bothWays: boolean): Episode {
    const { network } = this.#host
    network.cut(a, b)
    if (bothWays) network.cut(b, a)
    if (bothWays && this.#random.chance(0.3)) network.reset(a, b)
    const end = (): void => {
      network.conditions(a, b).cut = false
      if (bothWays) network.conditions(b, a).cut = false
    }
    return {
      description: `node-${a} ${bothWays ? 'and' : 'to'} node-${b}`,
      durationMs: this.#random.between(300, 25_000),
      end,
    }
  }

  #split(): Episode {
    const left = this.#host.nodes.filter(() => this.#random.chance(0.5))
    const resets = this.#random.chance(0.3)
    return this.#part(left, resets, this.#random.between(1_000, 30_000))
  }

  /** One node reaches nobody, without a word to anybody. */
  cutOff(node: SimulatedNode, durationMs: number): Episode {
    return this.#part([node], false, durationMs)
  }

  #part(left: readonly SimulatedNode[], resets: boolean, durationMs: number): Episode {
    const { nodes, network } = this.#host
    const right = nodes.filter((node) => !left.includes(node))
    const ways: (readonly [number, number])[] = []
    for (const a of left) for (const b of right) ways.push([a.index, b.index], [b.index, a.index])
    for (const [a, b] of ways) {
      network.cut(a, b)
      if (resets) network.reset(a, b)
    }
    const end = (): void => {
      for (const [a, b] of ways) network.conditions(a, b).cut = false
    }
    const names = left.map((node) => node.name).join(', ')
    return { description: `{${names}} from the others`, durationMs, end }
  }

  // ── Processes ───────────────────────────────────────────────────────────────────────────────────────────────────

  #pause(durationMs: number): Episode | undefined {
    const node = this.#running()
    if (node === undefined) return undefined
    const { process } = node
    node.pause()
    const isPaused = (): boolean => node.process === process && node.isPaused
    for (const other of this.#host.nodes)
      if (other !== node) this.#host.network.watchSilence(node.index, other.index, isPaused)
    const end = (): void => {
      if (node.process === process) node.resume()
    }
    return { description: node.name, durationMs, end }
  }

  #crash(from: 'nothing' | 'snapshot'): Episode | undefined {
    const node = this.#running()
    if (node === undefined || (from === 'snapshot' && !node.hasSnapshot)) return undefined
    const silently = this.#random.chance(0.3)
    this.#host.network.processEnded(node.index, silently)
    node.crash()
    const description = `${node.name}${silently ? ', silently' : ''}`
    return { description, durationMs: this.#random.between(100, 12_000), end: () => node.start(from) }
  }

  /** Asks the process to leave in good order. It ends when it says so; later it comes back. */
  #leave(): Episode | undefined {
    const node = this.#running()
    if (node === undefined) return undefined
    const { process } = node
    node.receive({ type: 'drain', deadline: node.now + 2_000 })
    const end = (): void => {
      if (node.process === process) {
        this.#host.network.processEnded(node.index, false)
        node.crash()
      }
      node.start()
    }
    return { description: node.name, durationMs: this.#random.between(3_000, 15_000), end }
  }

  // ── Clocks ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #clockJump(): Episode {
    const { nodes, queue } = this.#host
    const node = this.#random.pick(nodes)
    const size = this.#random.pick([1_000, 5_000, 60_000, 3_600_000, DAY_MS])
    const offset = (this.#random.chance(0.5) ? 1 : -1) * this.#random.between(0.5, 1) * size
    node.clock.set(queue.now, offset)
    const description = `${node.name} by ${Math.round(offset / 1000)} s`
    return { description, durationMs: this.#random.between(500, 20_000), end: () => this.#mendClock(node) }
  }

  #clockDrift(): Episode {
    const { nodes, queue } = this.#host
    const node = this.#random.pick(nodes)
    const rate = this.#random.between(0.7, 1.3)
    node.clock.set(queue.now, node.clock.offsetMs(queue.now), rate)
    const description = `${node.name} at ${rate.toFixed(2)}`
    return { description, durationMs: this.#random.between(1_000, 15_000), end: () => this.#mendClock(node) }
  }

  #mendClock(node: SimulatedNode): void {
    node.clock.set(this.#host.queue.now, this.#host.clockErrors[node.index] ?? 0)
  }

  // ── Whom it hits ────────────────────────────────────────────────────────────────────────────────────────────────

  #pair(): readonly [number, number] {
    const { nodes } = this.#host
    const a = this.#random.integer(0, nodes.length - 1)
    const b = (a + this.#random.integer(1, nodes.length - 1)) % nodes.length
    return [a, b]
  }

  /** A node whose process runs, unless it is the last one. */
  #running(): SimulatedNode | undefined {
    const running = this.#host.nodes.filter((node) => node.isUp && !node.isPaused)
    return running.length < 2 ? undefined : this.#random.pick(running)
  }
}
