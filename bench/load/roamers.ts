/** Visitors without a home: each request goes to another node than the one before, as behind a round robin. */
import type { Site } from '../rig/rig.js'
import { closedLoop, realClock } from './drivers.js'
import { Connections } from './http.js'
import { TEN_OF_100, Visitor, type Outcome } from './visitor.js'

export interface RoamersOptions {
  readonly visitors: number
  /** Connections to each server. */
  readonly connections: number
  readonly withStamps: boolean
  readonly random: () => number
}

export interface Pair {
  readonly read: Outcome
  readonly readMs: number
}

export interface Clicks {
  readonly reads: number
  readonly right: number
  readonly stale: number
  readonly wrong: number
}

export class Roamers {
  readonly #servers: readonly Connections[]
  readonly #visitors: readonly Visitor[]
  readonly #random: () => number
  /** Visitors that wait for no answer. */
  readonly #idle: Visitor[]

  constructor(site: Site, { visitors, connections, withStamps, random }: RoamersOptions) {
    this.#servers = site.nodes.map(({ port }) => new Connections(port, connections))
    this.#visitors = Array.from({ length: visitors }, () => new Visitor(TEN_OF_100, withStamps))
    this.#idle = [...this.#visitors]
    this.#random = random
  }

  /** Gives every visitor a session; throws where one cannot have any. */
  async settle(workers: number): Promise<void> {
    await this.#each(workers, this.#visitors.length, async (i) => {
      const outcome = await this.#visitors[i]?.create(this.#server(i))
      if (outcome !== 'right') throw new Error(`a session could not be made (${outcome})`)
    })
  }

  async warmUp(workers: number, requests: number): Promise<void> {
    await this.#each(workers, requests / 2, async (i) => void (await this.writeThenRead(i, async () => {})))
  }

  /** Writes on node `number`, waits for `gap`, reads on the next one. */
  async writeThenRead(number: number, gap: () => Promise<void>): Promise<Pair> {
    const visitor = this.#idle.shift()
    if (visitor === undefined) return { read: 'failed', readMs: 0 }
    try {
      const attribute = this.#attribute()
      const written = await visitor.write(this.#server(number), attribute)
      if (written !== 'right') return { read: written, readMs: 0 }
      await gap()
      const startedMs = performance.now()
      const read = await visitor.read(this.#server(number + 1), attribute)
      return { read, readMs: performance.now() - startedMs }
    } finally {
      this.#idle.push(visitor)
    }
  }

  /** Browsers that write, read, write, read, each on the next node and each at once. */
  async click(workers: number, seconds: number, signal: AbortSignal): Promise<Clicks> {
    const counts: Record<Outcome, number> = { right: 0, stale: 0, wrong: 0, failed: 0 }
    const browsers = this.#idle.splice(0, workers)
    let clicks = 0
    const step = async (worker: number): Promise<Outcome> => {
      const visitor = browsers[worker]
      const number = 2 * clicks++
      const attribute = this.#attribute()
      const written = (await visitor?.write(this.#server(number), attribute)) ?? 'failed'
      if (written !== 'right') return written
      const read = (await visitor?.read(this.#server(number + 1), attribute)) ?? 'failed'
      counts[read]++
      return read
    }
    await closedLoop({ workers: browsers.length, seconds, step, signal }, realClock)
    this.#idle.push(...browsers)
    const { right, stale, wrong } = counts
    return { reads: right + stale + wrong, right, stale, wrong }
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()))
  }

  async #each(workers: number, count: number, work: (i: number) => Promise<void>): Promise<void> {
    let next = 0
    const worker = async (): Promise<void> => {
      for (let i = next++; i < count; i = next++) await work(i)
    }
    await Promise.all(Array.from({ length: workers }, worker))
  }

  #server(number: number): Connections {
    const server = this.#servers[number % this.#servers.length]
    if (server === undefined) throw new Error('a site without servers')
    return server
  }

  #attribute(): number {
    return Math.floor(this.#random() * TEN_OF_100.attributes)
  }
}
