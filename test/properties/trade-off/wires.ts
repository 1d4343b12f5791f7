import type { EventQueue } from '../../../src/simulator/queue.js'
import type { Random } from '../../../src/simulator/random.js'

/** What lies between machines: one-way delays in milliseconds, and packets that have to be sent again. */
export interface Weather {
  /** From one place to another. */
  readonly delayMs: (from: number, to: number) => number
  /** Share of packets that get lost; as over TCP, they come late instead, and what follows them waits. */
  readonly loss: number
  readonly retransmitMs: number
}

interface Journey {
  readonly sentAt: number
  /** Beyond the delay of its way. */
  readonly lateMs: number
}

interface Way {
  lastArrival: number
  readonly journeys: Journey[]
}

/** Ordered ways between places, in virtual time. It remembers how late what was. */
export class Wires {
  readonly #queue: EventQueue
  readonly #weather: Weather
  readonly #random: Random
  readonly #ways = new Map<string, Way>()

  constructor(queue: EventQueue, weather: Weather, random: Random) {
    this.#queue = queue
    this.#weather = weather
    this.#random = random
  }

  send(from: number, to: number, arrive: () => void): void {
    const way = this.#way(from, to)
    const punctual = this.#queue.now + this.#weather.delayMs(from, to)
    let arrival = punctual
    while (this.#random.chance(this.#weather.loss)) arrival += this.#weather.retransmitMs
    arrival = Math.max(arrival, way.lastArrival)
    way.lastArrival = arrival
    if (arrival > punctual) way.journeys.push({ sentAt: this.#queue.now, lateMs: arrival - punctual })
    this.#queue.at(arrival, arrive)
  }

  /** One way, when nothing gets lost; a place has no way to itself. */
  delayMs(from: number, to: number): number {
    return from === to ? 0 : this.#weather.delayMs(from, to)
  }

  /** There and back, when nothing gets lost. */
  tripMs(from: number, to: number): number {
    return this.delayMs(from, to) + this.delayMs(to, from)
  }

  /** The most by which anything sent on this way since then was late. */
  lateMs(from: number, to: number, since: number): number {
    const late = this.#way(from, to).journeys.filter(({ sentAt }) => sentAt >= since)
    return late.reduce((most, { lateMs }) => Math.max(most, lateMs), 0)
  }

  #way(from: number, to: number): Way {
    const key = `${from}>${to}`
    const known = this.#ways.get(key)
    if (known !== undefined) return known
    const way: Way = { lastArrival: 0, journeys: [] }
    this.#ways.set(key, way)
    return way
  }
}
