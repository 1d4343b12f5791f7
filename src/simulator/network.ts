import { decodeMessage, encodeMessage } from '../transport/codec.js'
import type { LinkId, Message } from '../replica/events.js'
import type { SimulatedNode } from './node.js'
import type { EventQueue } from './queue.js'
import type { Random } from './random.js'

/** How messages fare on the way from one node to another. */
export interface Conditions {
  /** Nothing gets through. */
  cut: boolean
  loss: number
  duplication: number
  /** Share of messages that may overtake others. */
  reordering: number
  /** Longest extra delay, milliseconds. */
  delayMs: number
}

const CLEAR: Readonly<Conditions> = { cut: false, loss: 0, duplication: 0, reordering: 0, delayMs: 0 }

interface Way {
  readonly from: SimulatedNode
  readonly to: SimulatedNode
  readonly conditions: Conditions
  /** Frames to this peer are dropped: its queue was full. */
  full: boolean
  /** Nothing sent later arrives earlier. */
  lastArrival: number
  /** The last message that arrived, from which process to which, and when. */
  heard: { readonly speaker: number; readonly listener: number; readonly at: number } | undefined
}

interface Connection {
  readonly links: readonly [LinkId, LinkId]
  readonly ways: readonly [Way, Way]
  /** The processes at its ends. */
  readonly actors: readonly [number, number]
  open: boolean
}

/** A connection over which nothing arrives for longer is closed, milliseconds. */
const SILENT_AFTER_MS = 3_000
/** Longest way of the second copy of a message, milliseconds. */
const STRAGGLES_MS = 1_500
const REDIAL_MIN_MS = 50
const REDIAL_MAX_MS = 1_000

/** Connections between all nodes, dialled again for ever, through the real codec. */
export class Network {
  readonly counts = { sent: 0, delivered: 0, lost: 0, duplicated: 0, bytes: 0, connections: 0 }
  readonly #queue: EventQueue
  readonly #random: Random
  readonly #nodes: readonly SimulatedNode[]
  readonly #ways: Way[] = []
  readonly #byLink = new Map<LinkId, { readonly connection: Connection; readonly side: 0 | 1 }>()
  readonly #byPair = new Map<number, Connection>()
  #links = 0

  constructor(nodes: readonly SimulatedNode[], queue: EventQueue, random: Random) {
    this.#queue = queue
    this.#random = random
    this.#nodes = nodes
    for (const from of nodes) {
      for (const to of nodes) {
        this.#ways.push({ from, to, conditions: { ...CLEAR }, full: false, lastArrival: 0, heard: undefined })
        if (from.index < to.index) this.#dialLater(from, to)
      }
    }
  }

  conditions(from: number, to: number): Conditions {
    return this.#way(from, to).conditions
  }

  /** Whether a connection stands over which messages go both ways unhindered. */
  isClear(a: number, b: number): boolean {
    const ways = [this.#way(a, b), this.#way(b, a)]
    return (
      this.#pair(a, b)?.open === true &&
      ways.every((way) => !way.full && !way.conditions.cut && way.conditions.loss === 0)
    )
  }

  isConnected(a: number, b: number): boolean {
    return this.#pair(a, b)?.open === true
  }

  send(links: readonly LinkId[], message: Message): void {
    const bytes = encodeMessage(message)
    // Decoding is a function of the bytes alone, so all receivers may share what one of them would read.
    const read = decodeMessage(bytes)
    if (read === undefined) return
    for (const link of links) this.#post(link, read, bytes.length)
  }

  /** When a process last got a message of another one; -Infinity: never. */
  heardAt(speaker: number, listener: number): number {
    for (const { heard } of this.#ways) if (heard?.speaker === speaker && heard.listener === listener) return heard.at
    return -Infinity
  }

  /** The connection is gone at once, for both ends. */
  reset(a: number, b: number): void {
    const connection = this.#pair(a, b)
    if (connection !== undefined) this.#close(connection)
  }

  /** Nothing gets through that way any more; the connection notices by silence. */
  cut(from: number, to: number): void {
    const way = this.#way(from, to)
    way.conditions.cut = true
    this.watchSilence(from, to, () => way.conditions.cut)
  }

  /** Closes the connection when the silence that began now lasts too long. */
  watchSilence(a: number, b: number, lasts: () => boolean): void {
    const connection = this.#pair(a, b)
    if (connection === undefined) return
    this.#queue.after(SILENT_AFTER_MS, () => {
      if (connection.open && lasts()) this.#close(connection)
    })
  }

  /** The queue from one node to another runs over. */
  overflow(from: number, to: number): void {
    const link = this.#linkAt(from, to)
    if (link === undefined) return
    this.#way(from, to).full = true
    this.#node(from).receive({ type: 'link-stale', link })
  }

  drained(from: number, to: number): void {
    const way = this.#way(from, to)
    if (!way.full) return
    way.full = false
    const link = this.#linkAt(from, to)
    if (link !== undefined) this.#node(from).receive({ type: 'link-drained', link })
  }

  /** A process is gone: its peers see a reset, or (`silently`) nothing for a while. */
  processEnded(index: number, silently: boolean): void {
    for (const other of this.#nodes) {
      if (other.index === index) continue
      if (silently) this.watchSilence(index, other.index, () => true)
      else this.reset(index, other.index)
    }
  }

  heal(): void {
    for (const way of this.#ways) {
      Object.assign(way.conditions, CLEAR)
      this.drained(way.from.index, way.to.index)
    }
  }

  #post(link: LinkId, message: Message, bytes: number): void {
    const found = this.#byLink.get(link)
    if (found === undefined) return
    const { connection, side } = found
    const way = connection.ways[side]
    this.counts.sent++
    this.counts.bytes += bytes
    const { cut, loss, duplication } = way.conditions
    if (cut || way.full || (loss > 0 && this.#random.chance(loss))) {
      this.counts.lost++
      return
    }
    this.#plan(connection, side, message, this.#arrival(way))
    if (duplication > 0 && this.#random.chance(duplication)) {
      this.counts.duplicated++
      // The second copy straggles in when both ends may have gone on.
      this.#plan(connection, side, message, this.#queue.now + this.#random.between(0, STRAGGLES_MS))
    }
  }

  #arrival(way: Way): number {
    const { reordering, delayMs } = way.conditions
    let arrival =
      this.#queue.now + this.#random.between(0.2, 3) + (delayMs > 0 ? this.#random.between(0, delayMs) : 0)
    if (reordering === 0 || !this.#random.chance(reordering)) {
      arrival = Math.max(arrival, way.lastArrival)
      way.lastArrival = arrival
    }
    return arrival
  }

  #plan(connection: Connection, side: 0 | 1, message: Message, arrival: number): void {
    const link = connection.links[1 - side] as LinkId
    const way = connection.ways[side]
    const { to } = way
    const [speaker, listener] = [connection.actors[side], connection.actors[side === 0 ? 1 : 0]]
    this.#queue.at(arrival, () => {
      if (!connection.open) return
      this.counts.delivered++
      way.heard = { speaker, listener, at: this.#queue.now }
      to.receive({ type: 'message', link, message })
    })
  }

  #close(connection: Connection): void {
    if (!connection.open) return
    connection.open = false
    const [a, b] = connection.ways
    this.#byPair.delete(this.#key(a.from.index, a.to.index))
    for (const link of connection.links) this.#byLink.delete(link)
    for (const [side, way] of connection.ways.entries()) {
      way.full = false
      way.from.receive({ type: 'link-down', link: connection.links[side] as LinkId })
    }
    this.#dialLater(a.from, b.from)
  }

  #dialLater(a: SimulatedNode, b: SimulatedNode): void {
    this.#queue.after(this.#random.between(REDIAL_MIN_MS, REDIAL_MAX_MS), () => {
      if (!this.#connect(a, b)) this.#dialLater(a, b)
    })
  }

  #connect(a: SimulatedNode, b: SimulatedNode): boolean {
    const ways = [this.#way(a.index, b.index), this.#way(b.index, a.index)] as const
    if (a.member === undefined || b.member === undefined || a.isPaused || b.isPaused) return false
    if (ways.some((way) => way.conditions.cut)) return false
    const actors = [a.member.actor, b.member.actor] as const
    const connection: Connection = { links: [++this.#links, ++this.#links], ways, actors, open: true }
    this.counts.connections++
    this.#byPair.set(this.#key(a.index, b.index), connection)
    for (const way of ways) way.lastArrival = 0
    connection.links.forEach((link, side) => this.#byLink.set(link, { connection, side: side === 0 ? 0 : 1 }))
    a.receive({ type: 'link-up', link: connection.links[0], member: b.member, dialled: b.address })
    b.receive({ type: 'link-up', link: connection.links[1], member: a.member, dialled: a.address })
    return true
  }

  #linkAt(from: number, to: number): LinkId | undefined {
    const connection = this.#pair(from, to)
    return connection?.links[connection.ways[0].from.index === from ? 0 : 1]
  }

  #pair(a: number, b: number): Connection | undefined {
    return this.#byPair.get(this.#key(a, b))
  }

  #key(a: number, b: number): number {
    return Math.min(a, b) * this.#nodes.length + Math.max(a, b)
  }

  #way(from: number, to: number): Way {
    return this.#ways[from * this.#nodes.length + to] as Way
  }

  #node(index: number): SimulatedNode {
    return this.#nodes[index] as SimulatedNode
  }
}
