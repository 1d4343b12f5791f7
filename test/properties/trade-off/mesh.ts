import type { Acks } from '../../../src/advisor/load.js'
import type { Commit, LoadAnswer, Message, Output, Register, Stamp } from '../../../src/replica/events.js'
import { REPLICA_DEFAULTS } from '../../../src/replica/options.js'
import { Replica } from '../../../src/replica/replica.js'
import { actorTag, sameDot, type Dot, type IdHash, type NodeId } from '../../../src/session/session.js'
import type { EventQueue } from '../../../src/simulator/queue.js'
import { decodeMessage, encodeMessage } from '../../../src/transport/codec.js'
import type { Answer, Change, Cookie, Store, Values } from './site.js'
import type { Wires } from './wires.js'

export interface MeshOptions {
  readonly nodes: number
  readonly acks: Acks
  /** Whether browsers carry what they have seen. */
  readonly stamps: boolean
  /** How long an event waits for others before it is sent, milliseconds. */
  readonly flushMs: number
  /** By how much each node's clock is wrong, milliseconds. */
  readonly clockErrorsMs: readonly number[]
}

export interface MeshCookie extends Cookie {
  readonly id: IdHash
  readonly birth: Dot
  readonly stamp: Stamp | undefined
  /** Where the latest write was made that this browser knows of. */
  readonly writer: number
  /** Every event of the session that this browser has seen: its own, one after the other. */
  readonly seen: readonly Made[]
  /** What it wrote last of each attribute. */
  readonly written: Values
}

/** An event, where and when it was made. */
export interface Made {
  readonly dot: Dot
  readonly node: number
  readonly at: number
}

/** What only somebody who sees all nodes can say about a read. */
export interface Look {
  readonly session: number
  readonly at: number
  readonly node: number
  /** What the node lacked of what this browser had seen: a value that still counts, or only one that was replaced. */
  readonly lacked: 'nothing' | 'replaced' | 'value'
  /** Where the latest write was made that its browser knows of. */
  readonly writer: number
  /** What the node lacked of what this browser had to be shown. */
  readonly missing: readonly Made[]
  /** Had to wait for it. */
  isAhead: boolean
  /** Asked its peers at once. */
  asked: boolean
  waitedMs: number
}

interface Node {
  readonly index: number
  readonly replica: Replica
  /** Peers by link; the link of the other end has the same number. */
  readonly peers: Map<number, Node>
  flushing: boolean
}

type Told = Extract<Output, { type: 'loaded' | 'committed' }>

const START = Date.UTC(2026, 0, 1)
const TICK_MS = 100
const NEVER = START + 1e9
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Replicas connected by wires, all on one machine's virtual time. */
export class Mesh implements Store<MeshCookie> {
  readonly looks: Look[] = []
  /** Sent, by type of message: how many, and how many bytes. */
  readonly sent = new Map<Message['type'], { count: number; bytes: number }>()
  readonly #options: MeshOptions
  readonly #queue: EventQueue
  readonly #wires: Wires
  readonly #nodes: readonly Node[]
  readonly #waiting = new Map<number, (told: Told) => void>()
  /** Which session was born as what. */
  readonly #births = new Map<string, number>()
  #requests = 0
  #ids = 0

  constructor(options: MeshOptions, queue: EventQueue, wires: Wires) {
    this.#options = options
    this.#queue = queue
    this.#wires = wires
    this.#nodes = Array.from({ length: options.nodes }, (_, index) => this.#boot(index))
    this.#connectAll()
    for (const node of this.#nodes) this.#tick(node)
    const isReady = (): boolean => this.#nodes.every(({ replica }) => replica.roster.isReady)
    while (!isReady()) queue.runUntil(queue.now + TICK_MS)
  }

  get totalBytes(): number {
    return [...this.sent.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Of attributes held, by node. */
  get heldBytes(): readonly number[] {
    return this.#nodes.map(({ replica }) => replica.state.bytes)
  }

  peersOf(node: number): readonly number[] {
    return this.#nodes.map(({ index }) => index).filter((index) => index !== node)
  }

  /** Round trips from a node to each of its peers. */
  tripsMs(from: number): readonly number[] {
    return this.peersOf(from).map((peer) => this.#wires.tripMs(from, peer))
  }

  create(at: number, session: number, done: (answer: Answer<MeshCookie>) => void): void {
    const node = this.#node(at)
    const id = `id${String(++this.#ids).padStart(20, '0')}` as IdHash
    const birth = node.replica.nextDot
    const base = { createdAt: this.#now(node), maxIdleMs: Infinity, maxLifeMs: Infinity }
    const cookie = { session, id, birth, stamp: undefined, writer: at, seen: [this.#made(at, birth)], written: new Map() }
    this.#commit(node, { type: 'create', id, base, writes: [] }, cookie, done)
  }

  read(at: number, cookie: MeshCookie, done: (answer: Answer<MeshCookie>) => void): void {
    const node = this.#node(at)
    const { session, stamp, birth, writer } = cookie
    const missing = missingAt(node.replica, cookie).filter(({ dot }) => isDue(cookie, dot))
    const lacked = lackedAt(node.replica, cookie)
    const since = this.#queue.now
    const before = { ...node.replica.pulls.counts }
    const look: Look = { session, at: since, node: at, lacked, writer, missing, isAhead: false, asked: false, waitedMs: 0 }
    this.looks.push(look)
    const request = this.#request((told) => {
      if (told.type !== 'loaded') throw new Error('a load was answered as a commit')
      look.waitedMs = this.#queue.now - since
      done(this.#found(node, cookie, told.answer))
    })
    const origin = { actorTag: actorTag(birth.actor), counter: birth.counter }
    this.#input(node, { type: 'load', request, id: cookie.id, origin, deadline: NEVER, stamp })
    look.isAhead = node.replica.pulls.counts.waits > before.waits
    look.asked = node.replica.pulls.counts.asked > before.asked
  }

  write(at: number, cookie: MeshCookie, { name, value }: Change, done: (answer: Answer<MeshCookie>) => void): void {
    const node = this.#node(at)
    const writes = [{ name, kind: 0, value: encoder.encode(value) }]
    const seen = [...cookie.seen, this.#made(at, node.replica.nextDot)]
    const after = { ...cookie, writer: at, seen, written: new Map(cookie.written).set(name, value) }
    this.#commit(node, { type: 'write', birth: cookie.birth, writes }, after, done)
  }

  copies(): readonly ReadonlyMap<number, Values>[] {
    this.#queue.runUntil(this.#queue.now + 10_000)
    return this.#nodes.map(({ replica }) => {
      const copies = [...replica.state.live.values()].map(({ birth, registers }) => {
        return [this.#births.get(nameOf(birth)) ?? -1, valuesOf(registers)] as const
      })
      return new Map(copies)
    })
  }

  #commit(node: Node, commit: Commit, cookie: MeshCookie, done: (answer: Answer<MeshCookie>) => void): void {
    if (commit.type === 'create') this.#births.set(nameOf(cookie.birth), cookie.session)
    const request = this.#request((told) => {
      if (told.type !== 'committed' || told.outcome !== 'done') throw new Error(`a commit was not done: ${told.type}`)
      const stamp = this.#options.stamps ? told.stamp : undefined
      done({ cookie: { ...cookie, stamp }, values: new Map() })
    })
    const concern = this.#options.nodes === 1 ? 'async' : this.#options.acks
    this.#input(node, { type: 'commit', request, commit, concern, deadline: NEVER, stamp: cookie.stamp })
    this.#flushSoon(node)
  }

  #found(node: Node, cookie: MeshCookie, answer: LoadAnswer): Answer<MeshCookie> {
    if (answer.state !== 'found') throw new Error(`a session that lives was ${answer.state}`)
    const stamp = this.#options.stamps ? answer.stamp : undefined
    const registers = node.replica.state.live.get(cookie.birth)?.registers ?? []
    return { cookie: { ...cookie, stamp }, values: valuesOf(registers) }
  }

  #made(node: number, dot: Dot): Made {
    return { dot, node, at: this.#queue.now }
  }

  #request(hear: (told: Told) => void): number {
    const request = ++this.#requests
    this.#waiting.set(request, hear)
    return request
  }

  #flushSoon(node: Node): void {
    if (node.flushing) return
    if (this.#options.flushMs === 0) return this.#input(node, { type: 'flush' })
    node.flushing = true
    this.#queue.after(this.#options.flushMs, () => {
      node.flushing = false
      this.#input(node, { type: 'flush' })
    })
  }

  #tick(node: Node): void {
    this.#input(node, { type: 'tick', lagMs: 0 })
    this.#queue.after(TICK_MS, () => this.#tick(node))
  }

  #input(node: Node, input: Parameters<Replica['handle']>[0]): void {
    for (const output of node.replica.handle(input, this.#now(node))) this.#perform(node, output)
  }

  #perform(node: Node, output: Output): void {
    if (output.type === 'quarantine') throw new Error(`an honest peer is accused of ${output.rule}`)
    if (output.type === 'send') this.#send(node, output.links, output.message)
    if (output.type !== 'loaded' && output.type !== 'committed') return
    const hear = this.#waiting.get(output.request)
    this.#waiting.delete(output.request)
    hear?.(output)
  }

  #send(node: Node, links: readonly number[], message: Message): void {
    const bytes = encodeMessage(message)
    const read = decodeMessage(bytes)
    if (read === undefined) throw new Error(`no ${message.type} came out of its own bytes`)
    const tally = this.sent.get(message.type) ?? { count: 0, bytes: 0 }
    this.sent.set(message.type, { count: tally.count + links.length, bytes: tally.bytes + bytes.length * links.length })
    for (const link of links) {
      const to = node.peers.get(link)
      if (to === undefined) continue
      this.#wires.send(node.index, to.index, () => this.#input(to, { type: 'message', link, message: read }))
    }
  }

  #boot(index: number): Node {
    const addresses = Array.from({ length: this.#options.nodes }, (_, other) => address(other))
    const replica = new Replica(
      {
        ...REPLICA_DEFAULTS,
        waitMs: 1e9,
        node: `node-${index}` as NodeId,
        actor: 1_000_003 * (index + 1),
        startedAt: START,
        peers: addresses.filter((_, other) => other !== index),
      },
      START + (this.#options.clockErrorsMs[index] ?? 0),
    )
    return { index, replica, peers: new Map(), flushing: false }
  }

  #connectAll(): void {
    let link = 0
    for (const a of this.#nodes) {
      for (const b of this.#nodes.slice(a.index + 1)) {
        link++
        a.peers.set(link, b)
        b.peers.set(link, a)
        this.#input(a, { type: 'link-up', link, member: b.replica.roster.self, dialled: address(b.index) })
        this.#input(b, { type: 'link-up', link, member: a.replica.roster.self, dialled: address(a.index) })
      }
    }
  }

  #now(node: Node): number {
    return Math.floor(START + this.#queue.now + (this.#options.clockErrorsMs[node.index] ?? 0))
  }

  #node(index: number): Node {
    const node = this.#nodes[index % this.#nodes.length]
    if (node === undefined) throw new Error('a mesh without nodes')
    return node
  }
}

function lackedAt(replica: Replica, cookie: MeshCookie): Look['lacked'] {
  const held = replica.state.live.get(cookie.birth)
  const values = valuesOf(held?.registers ?? [])
  if (held?.base === undefined || [...cookie.written].some(([name, value]) => values.get(name) !== value)) return 'value'
  return missingAt(replica, cookie).length === 0 ? 'nothing' : 'replaced'
}

function missingAt({ state }: Replica, { birth, seen }: MeshCookie): readonly Made[] {
  const held = state.live.get(birth)
  return seen.filter(({ dot }) => held?.includes(dot) !== true && !state.context.has(dot))
}

/** Whether its browser waits for it: what was replaced since is not in the stamp, and where all is unknown the first counts. */
function isDue({ birth, stamp }: MeshCookie, dot: Dot): boolean {
  return sameDot(dot, birth) || stamp?.dots.some((listed) => sameDot(listed, dot)) === true
}

function nameOf({ actor, counter }: Dot): string {
  return `${actor}.${counter}`
}

function address(index: number): string {
  return `127.0.0.1:${7000 + index}`
}

function valuesOf(registers: readonly Register[]): Values {
  return new Map(registers.map(({ name, value }) => [name, value instanceof Uint8Array ? decoder.decode(value) : '']))
}
