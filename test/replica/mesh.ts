/**
 * A few pure replicas and the wires between them, in the hands of a test: every message waits until the test delivers,
 * loses, doubles or reorders it; time moves only when the test says so.
 */
import type { Event, Input, LinkId, Message, Output, Register, RegisterWrite, Stamp } from '../../src/replica/events.js'
import { isMerged } from '../../src/replica/merge/register.js'
import { REPLICA_DEFAULTS, type ReplicaOptions } from '../../src/replica/options.js'
import { Replica } from '../../src/replica/replica.js'
import { actorTag, type Dot, type IdHash, type IdOrigin, type NodeId } from '../../src/session/session.js'

export interface Node {
  readonly index: number
  replica: Replica
  actor: number
  up: boolean
}

export interface Wire {
  readonly from: Node
  readonly to: Node
  readonly linkAtFrom: LinkId
  readonly linkAtTo: LinkId
  readonly message: Message
}

interface Cable {
  readonly ends: readonly [Node, Node]
  readonly links: readonly [LinkId, LinkId]
}

export const START = Date.UTC(2026, 0, 1)

export class Mesh {
  readonly nodes: Node[] = []
  readonly wires: Wire[] = []
  readonly events: Event[] = []
  readonly outputs: { readonly node: number; readonly output: Output }[] = []
  now = START
  #cables: Cable[] = []
  #links = 0
  #actors = 0
  #requests = 0
  #ids = 0
  readonly #options: Partial<ReplicaOptions>
  readonly #size: number

  constructor(size: number, options: Partial<ReplicaOptions> = {}) {
    this.#options = options
    this.#size = size
    for (let index = 0; index < size; index++) this.nodes.push(this.#boot(index))
  }

  /** Connects every pair that is up and not connected. */
  connectAll(): void {
    for (const a of this.nodes) for (const b of this.nodes) if (a.index < b.index) this.connect(a.index, b.index)
  }

  connect(i: number, j: number): void {
    const [a, b] = [this.node(i), this.node(j)]
    if (!a.up || !b.up || this.#cable(a, b) !== undefined) return
    const links = [++this.#links, ++this.#links] as const
    this.#cables.push({ ends: [a, b], links })
    this.input(a, { type: 'link-up', link: links[0], member: b.replica.roster.self, dialled: address(b.index) })
    this.input(b, { type: 'link-up', link: links[1], member: a.replica.roster.self, dialled: address(a.index) })
  }

  cut(i: number, j: number): void {
    const cable = this.#cable(this.node(i), this.node(j))
    if (cable === undefined) return
    this.#cables = this.#cables.filter((other) => other !== cable)
    this.wires.splice(0, this.wires.length, ...this.wires.filter((wire) => !cable.links.includes(wire.linkAtFrom)))
    cable.ends.forEach((end, side) => {
      if (end.up) this.input(end, { type: 'link-down', link: cable.links[side] as LinkId })
    })
  }

  crash(i: number): void {
    const node = this.node(i)
    node.up = false
    for (const other of this.nodes) if (other !== node) this.cut(i, other.index)
  }

  /** Starts the process again: a new actor, and nothing of what it held. */
  restart(i: number): void {
    const fresh = this.#boot(i)
    Object.assign(this.node(i), { replica: fresh.replica, actor: fresh.actor, up: true })
  }

  node(i: number): Node {
    return this.nodes[i % this.nodes.length] as Node
  }

  commit(i: number, commit: Extract<Input, { type: 'commit' }>['commit']): 'done' | 'unknown' | 'gone' | 'refused' | 'waits' {
    const request = ++this.#requests
    const deadline = this.now + 250
    const outputs = this.input(this.node(i), { type: 'commit', request, commit, concern: 'async', deadline })
    const answer = outputs.find((output) => output.type === 'committed' && output.request === request)
    return answer?.type === 'committed' ? answer.outcome : 'waits'
  }

  create(i: number, writes: readonly RegisterWrite[] = [], maxIdleMs = Infinity): { birth: Dot; id: IdHash } {
    const birth = this.node(i).replica.nextDot
    const id = this.newId()
    this.commit(i, { type: 'create', id, writes, base: { createdAt: this.now, maxIdleMs, maxLifeMs: Infinity } })
    return { birth, id }
  }

  newId(): IdHash {
    return `id-${String(++this.#ids).padStart(19, '0')}` as IdHash
  }

  load(i: number, id: IdHash, origin: IdOrigin | null = null, stamp?: Stamp): Output | undefined {
    const request = ++this.#requests
    this.input(this.node(i), { type: 'load', request, id, origin, deadline: this.now + 1_000, stamp })
    return this.answerTo(request)
  }

  get lastRequest(): number {
    return this.#requests
  }

  answerTo(request: number): Output | undefined {
    return this.outputs.find(({ output }) => output.type === 'loaded' && output.request === request)?.output
  }

  input(node: Node, input: Input): readonly Output[] {
    const outputs = node.replica.handle(input, this.now)
    for (const output of outputs) {
      this.outputs.push({ node: node.index, output })
      if (output.type === 'send') for (const link of output.links) this.#post(node, link, output.message)
    }
    return outputs
  }

  /** Delivers one waiting message. */
  deliver(at: number, keep = false): void {
    const wire = this.wires[at]
    if (wire === undefined) return
    if (!keep) this.wires.splice(at, 1)
    this.input(wire.to, { type: 'message', link: wire.linkAtTo, message: wire.message })
  }

  lose(at: number): void {
    this.wires.splice(at, 1)
  }

  tick(ms = 100): void {
    this.now += ms
    for (const node of this.nodes) if (node.up) this.input(node, { type: 'tick', lagMs: 0 })
  }

  flush(i: number): void {
    if (this.node(i).up) this.input(this.node(i), { type: 'flush' })
  }

  /** Delivers all that waits, in order, until nothing is on its way but what is held up. */
  drain(isHeldUp: (wire: Wire) => boolean = () => false): void {
    const next = (): number => this.wires.findIndex((wire) => !isHeldUp(wire))
    for (let at = next(), steps = 0; at >= 0; at = next(), steps++) {
      if (steps > 100_000) throw new Error('the replicas never stop talking')
      this.deliver(at)
    }
  }

  /** All links up, nothing lost, time passes: what must end in agreement. */
  heal(rounds = 24): void {
    for (const node of this.nodes) if (!node.up) this.restart(node.index)
    this.connectAll()
    this.drain()
    for (let i = 0; i < rounds; i++) {
      this.tick(500)
      this.drain()
    }
  }

  #boot(index: number): Node {
    const actor = 1_000_003 * ++this.#actors + index
    const replica = new Replica(
      {
        ...REPLICA_DEFAULTS,
        node: `node-${index}` as NodeId,
        actor,
        startedAt: this.now + this.#actors,
        peers: Array.from({ length: this.#size }, (_, other) => address(other)).filter((_, other) => other !== index),
        ...this.#options,
      },
      this.now,
    )
    const { state } = replica
    const apply = state.apply.bind(state)
    state.apply = (event, now) => {
      if (event.dot.actor === actor) this.events.push(event)
      return apply(event, now)
    }
    return { index, replica, actor, up: true }
  }

  #cable(a: Node, b: Node): Cable | undefined {
    return this.#cables.find(({ ends }) => ends.includes(a) && ends.includes(b))
  }

  #post(from: Node, link: LinkId, message: Message): void {
    const cable = this.#cables.find(({ links }) => links.includes(link))
    if (cable === undefined) return
    const side = cable.links.indexOf(link)
    const to = cable.ends[1 - side] as Node
    this.wires.push({ from, to, linkAtFrom: link, linkAtTo: cable.links[1 - side] as LinkId, message })
  }
}

function address(index: number): string {
  return `127.0.0.1:${7000 + index}`
}

export function originOf(dot: Dot): IdOrigin {
  return { actorTag: actorTag(dot.actor), counter: dot.counter }
}

export function text(name: string, value: string | null): RegisterWrite {
  return { name, kind: 0, value: value === null ? null : new TextEncoder().encode(value) }
}

/** What a replica holds of its sessions, in a form that is equal where the state is. */
export function canonical(replica: Replica): unknown {
  return [...replica.state.live.values()]
    .map((session) => ({
      birth: session.birth,
      complete: session.isComplete,
      ids: session.ids.map((id) => id.hash).sort(),
      registers: session.registers.map(({ name, value, hlc, dot }) => ({ name, value: textOf(value), hlc, dot })),
    }))
    .sort((a, b) => a.birth.actor - b.birth.actor || a.birth.counter - b.birth.counter)
}

/** What a register comes to, as text: a number, or the sorted elements of a set. */
export function textOf(value: Register['value']): string {
  if (!isMerged(value)) return String(value)
  switch (value.type) {
    case 'counter':
      return value.entries.length === 0 ? 'null' : String(value.entries.reduce((sum, entry) => sum + entry.sum, 0))
    case 'max':
      return String(value.top?.value ?? null)
    case 'set':
      return value.seen.length === 0 ? 'null' : `{${value.elements.map(({ bytes }) => bytes.join('.')).join(' ')}}`
  }
}
