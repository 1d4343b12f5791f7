import { setTimeout as pause } from 'node:timers/promises'
import { Crowd, type CrowdSize, SAFE_AFTER_MS } from './crowd.js'
import type { Figures } from './tally.js'
import type { Stage } from './walk.js'

/** What the nodes that were not killed say. */
export interface Survivors {
  /** Sessions whose last change was at least a second old at the kill, and how many of them are missing. */
  readonly safe: number
  readonly lost: number
  /** Sessions that were changed in the very last second, and how many of those are missing. */
  readonly fresh: number
  readonly freshLost: number
}

/** What the killed node says when it is back. */
export interface Restarted {
  /** From the start of the new process until it could serve every session. */
  readonly readyMs: number
  /** Sessions that it serves itself. */
  readonly served: number
}

/** Shares of the browsers that are through when the node is killed, and when it is started again. */
const KILL_AT = 0.25
const RESTART_AT = 0.5

/** Everybody comes, logs in, clicks and leaves. */
export async function crowdClicks(stage: Stage, size: CrowdSize): Promise<Figures> {
  const crowd = new Crowd(size, stage.port, stage.now)
  try {
    await crowd.enter(size.clicks)
    return crowd.figures
  } finally {
    crowd.leave()
  }
}

/** The same crowd, while one node is killed and started again. */
export class KillRun {
  readonly #stage: Stage
  readonly #size: CrowdSize
  readonly #crowd: Crowd
  readonly #victim: string
  #restarting: Promise<number> | undefined
  #killing: Promise<void> | undefined
  /** Changes confirmed between these two moments may be lost: the node was about to end. */
  #from = 0
  #to = 0

  constructor(stage: Stage, size: CrowdSize) {
    this.#stage = stage
    this.#size = size
    this.#crowd = new Crowd(size, stage.port, stage.now)
    this.#victim = stage.supervisor.nodes.at(-1)?.name ?? ''
  }

  get victim(): string {
    return this.#victim
  }

  /** Half of the clicks, a second of quiet that makes them safe, and the other half with the accident. */
  async clicks(): Promise<Figures> {
    const half = Math.floor(this.#size.clicks / 2)
    await this.#crowd.enter(half)
    await pause(SAFE_AFTER_MS)
    await this.#crowd.goOn(half, (browsers) => this.#accident(browsers / this.#size.sessions))
    await this.#restarting
    return this.#crowd.figures
  }

  /** Asks the other nodes, past the proxy, for every session. */
  async survivors(): Promise<Survivors> {
    const missing = new Set<string>()
    for (const node of this.#stage.supervisor.nodes) {
      if (node.name === this.#victim) continue
      for (const name of await this.#crowd.missingOn(node.port, this.#from, this.#to)) missing.add(name)
    }
    const { shoppers } = this.#crowd
    const fresh = shoppers.filter((shopper) => shopper.changedBetween(this.#from, this.#to))
    const freshLost = fresh.filter((shopper) => missing.has(shopper.name)).length
    const safe = shoppers.length - fresh.length
    return { safe, lost: missing.size - freshLost, fresh: fresh.length, freshLost }
  }

  /** Asks the node that was killed. */
  async restarted(): Promise<Restarted> {
    const node = this.#stage.supervisor.nodes.find(({ name }) => name === this.#victim)
    const missing = await this.#crowd.missingOn(node?.port ?? 0, this.#from, this.#to)
    return { readyMs: (await this.#restarting) ?? 0, served: this.#size.sessions - missing.length }
  }

  leave(): void {
    this.#crowd.leave()
  }

  #accident(share: number): void {
    if (share >= KILL_AT) this.#killing ??= this.#kill()
    if (share >= RESTART_AT) this.#restarting ??= this.#restart()
  }

  async #kill(): Promise<void> {
    this.#from = this.#stage.now() - SAFE_AFTER_MS
    await this.#stage.supervisor.kill(this.#victim)
    this.#to = this.#stage.now()
  }

  async #restart(): Promise<number> {
    await this.#killing
    return await this.#stage.supervisor.restart(this.#victim)
  }
}
