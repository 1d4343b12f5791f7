/** Many visitors, each at home on one server, and what they do. */
import type { Site } from '../rig/rig.js'
import { Connections } from './http.js'
import { TEN_OF_100, Visitor, type Outcome, type Shape } from './visitor.js'

/** R reads one attribute, W replaces one, M is nine reads to a write, C begins a new session. */
export type Workload = 'R' | 'W' | 'M' | 'C'

export const WORKLOADS: readonly Workload[] = ['R', 'W', 'M', 'C']

const READ_SHARE_OF_M = 0.9

export interface CrowdOptions {
  readonly visitors: number
  /** Connections to each server. */
  readonly connections: number
  readonly shape?: Shape
  readonly withStamps?: boolean
  readonly random: () => number
}

export class Crowd {
  readonly servers: readonly Connections[]
  readonly #visitors: readonly Visitor[]
  readonly #random: () => number
  /** Indices of visitors that wait for no answer. */
  readonly #idle: number[]

  constructor(site: Site, { visitors, connections, shape = TEN_OF_100, withStamps = true, random }: CrowdOptions) {
    this.servers = site.nodes.map(({ port }) => new Connections(port, connections))
    this.#visitors = Array.from({ length: visitors }, () => new Visitor(shape, withStamps))
    this.#random = random
    this.#idle = this.#visitors.map((_, i) => i)
  }

  /** Gives every visitor a session; throws where one cannot have any. */
  async settle(workers: number): Promise<void> {
    let next = 0
    const work = async (): Promise<void> => {
      for (let i = next++; i < this.#visitors.length; i = next++) {
        const outcome = await this.#visitors[i]?.create(this.home(i))
        if (outcome !== 'right') throw new Error(`a session could not be made (${outcome})`)
      }
    }
    await Promise.all(Array.from({ length: workers }, work))
  }

  /** One request of somebody who is idle; `failed` where nobody is. */
  async step(workload: Workload): Promise<Outcome> {
    const index = this.#takeIdle()
    const visitor = index === undefined ? undefined : this.#visitors[index]
    if (index === undefined || visitor === undefined) return 'failed'
    try {
      return await this.#act(visitor, this.home(index), workload)
    } finally {
      this.#idle.push(index)
    }
  }

  /** Requests of every kind under full load, so that the servers' code is compiled before anything is measured. */
  async warmUp(workers: number, requests: number): Promise<void> {
    let left = requests
    const work = async (): Promise<void> => {
      while (left-- > 0) await this.step(WORKLOADS[left % WORKLOADS.length] ?? 'M')
    }
    await Promise.all(Array.from({ length: workers }, work))
  }

  /** Every visitor reads one attribute: what is still there after a load that did not look. */
  async verify(workers: number): Promise<{ readonly wrong: number; readonly failed: number }> {
    let [wrong, failed, next] = [0, 0, 0]
    const work = async (): Promise<void> => {
      for (let i = next++; i < this.#visitors.length; i = next++) {
        const outcome = await this.#visitors[i]?.read(this.home(i), this.#attribute(TEN_OF_100))
        if (outcome === 'failed') failed++
        else if (outcome !== 'right') wrong++
      }
    }
    await Promise.all(Array.from({ length: workers }, work))
    return { wrong, failed }
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()))
  }

  home(index: number): Connections {
    const server = this.servers[index % this.servers.length]
    if (server === undefined) throw new Error('a site without servers')
    return server
  }

  async #act(visitor: Visitor, server: Connections, workload: Workload): Promise<Outcome> {
    const attribute = this.#attribute(visitor.shape)
    switch (workload) {
      case 'R':
        return await visitor.read(server, attribute)
      case 'W':
        return await visitor.write(server, attribute)
      case 'M':
        return await (this.#random() < READ_SHARE_OF_M ? visitor.read(server, attribute) : visitor.write(server, attribute))
      case 'C':
        return await visitor.create(server, Math.floor(this.#random() * 1_000_000))
    }
  }

  #attribute({ attributes }: Shape): number {
    return Math.floor(this.#random() * attributes)
  }

  /** Any of them: the last one takes the place of who is taken. */
  #takeIdle(): number | undefined {
    const at = Math.floor(this.#random() * this.#idle.length)
    const index = this.#idle[at]
    const last = this.#idle.pop()
    if (last !== undefined && at < this.#idle.length) this.#idle[at] = last
    return index
  }
}
