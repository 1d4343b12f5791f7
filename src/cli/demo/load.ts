import { setTimeout as pause } from 'node:timers/promises'
import { Crowd, type CrowdSize, SAFE_AFTER_MS } from './crowd.js'
import type { Figures } from './tally.js'
import type { Stage } from './walk.js'

export interface KillResult {
  readonly killed: string
  /** Sessions whose last change was at least a second old at the kill, and how many of them are missing. */
  readonly safe: number
  readonly lost: number
  /** Sessions that were changed in the very last second, and how many of those miss something. */
  readonly fresh: number
  readonly freshLost: number
  /** From the start of the new process until it could serve every session. */
  readonly readyMs: number
  /** Sessions that the restarted node itself serves. */
  readonly servedByRestarted: number
  readonly figures: Figures
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

/** The same with one node killed and started again while the crowd clicks. */
export async function crowdSurvivesKill(stage: Stage, size: CrowdSize): Promise<KillResult> {
  const crowd = new Crowd(size, stage.port, stage.now)
  try {
    const half = Math.floor(size.clicks / 2)
    await crowd.enter(half)
    await pause(SAFE_AFTER_MS) // people read for a second; the changes made so far count as safe from here on

    const accident = new Accident(stage, size.sessions)
    await crowd.goOn(half, (browsers) => accident.at(browsers))
    const { killed, from, to, readyMs } = await accident.over()
    return { killed, readyMs, figures: crowd.figures, ...(await census(stage, crowd, killed, from, to)) }
  } finally {
    crowd.leave()
  }
}

/** Asks every node directly for every session. */
async function census(
  stage: Stage,
  crowd: Crowd,
  killed: string,
  from: number,
  to: number,
): Promise<Pick<KillResult, 'safe' | 'lost' | 'fresh' | 'freshLost' | 'servedByRestarted'>> {
  const { nodes } = stage.supervisor
  const missing = new Set<string>()
  let servedByRestarted = 0
  for (const node of nodes) {
    const here = await crowd.missingOn(node.port, from, to)
    if (node.name === killed) servedByRestarted = crowd.shoppers.length - here.length
    else for (const shopper of here) missing.add(shopper.name)
  }
  const fresh = crowd.shoppers.filter((shopper) => shopper.changedBetween(from, to))
  const freshLost = fresh.filter((shopper) => missing.has(shopper.name)).length
  return {
    safe: crowd.shoppers.length - fresh.length,
    lost: missing.size - freshLost,
    fresh: fresh.length,
    freshLost,
    servedByRestarted,
  }
}

/** Kills the node that is last in the round when a quarter is through, and starts it again at half. */
class Accident {
  readonly #stage: Stage
  readonly #sessions: number
  readonly #node: string
  #killing: Promise<void> | undefined
  #restarting: Promise<number> | undefined
  #from = 0
  #to = 0

  constructor(stage: Stage, sessions: number) {
    this.#stage = stage
    this.#sessions = sessions
    this.#node = stage.supervisor.nodes.at(-1)?.name ?? 'c'
  }

  at(browsers: number): void {
    if (browsers >= this.#sessions * KILL_AT) this.#killing ??= this.#kill()
    if (browsers >= this.#sessions * RESTART_AT) this.#restarting ??= this.#restart()
  }

  async over(): Promise<{ killed: string; from: number; to: number; readyMs: number }> {
    this.at(this.#sessions)
    const readyMs = (await this.#restarting) ?? 0
    return { killed: this.#node, from: this.#from, to: this.#to, readyMs }
  }

  async #kill(): Promise<void> {
    this.#from = this.#stage.now() - SAFE_AFTER_MS
    await this.#stage.supervisor.kill(this.#node)
    this.#to = this.#stage.now()
  }

  async #restart(): Promise<number> {
    await this.#killing
    return await this.#stage.supervisor.restart(this.#node)
  }
}
