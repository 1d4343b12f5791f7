import { Patience } from '../patience.js'
import type { RedisClient } from './client.js'

interface Waiting {
  readonly replicas: number
  readonly withinMs: number
  readonly settle: (confirmed: boolean) => void
}

interface Lane {
  waiting: Waiting[]
  isAsking: boolean
}

/**
 * Whether replicas have what the primary has, for many commits at a time. WAIT holds up its connection, so it has one
 * of its own, and one WAIT answers for all commits that were done before it: a mark written just before it is later in
 * the replication stream than all of them. A replica that is away delays each commit by what that commit is willing to
 * wait, however many there are.
 */
export class Confirmations {
  readonly #client: RedisClient
  readonly #lanes = new Map<string, Lane>()

  constructor(client: RedisClient) {
    this.#client = client
  }

  /** `mark`: a key of ours on the primary that has the commit. False: not known within that time. */
  async wait(mark: string, replicas: number, withinMs: number): Promise<boolean> {
    const lane = this.#laneOf(mark)
    const confirmed = new Promise<boolean>((settle) => {
      const patience = new Patience(withinMs, () => settle(false))
      const settleOnce = (answer: boolean): void => {
        patience.end()
        settle(answer)
      }
      lane.waiting.push({ replicas, withinMs, settle: settleOnce })
    })
    if (!lane.isAsking) void this.#ask(mark, lane)
    return await confirmed
  }

  async #ask(mark: string, lane: Lane): Promise<void> {
    lane.isAsking = true
    while (lane.waiting.length > 0) {
      const round = lane.waiting
      lane.waiting = []
      const replicas = Math.max(...round.map((one) => one.replicas))
      const withinMs = Math.max(...round.map((one) => one.withinMs))
      const confirmed = await this.#client.confirm(mark, replicas, withinMs).catch(() => 0)
      for (const one of round) one.settle(confirmed >= one.replicas)
    }
    lane.isAsking = false
  }

  #laneOf(mark: string): Lane {
    const known = this.#lanes.get(mark)
    if (known !== undefined) return known
    const lane: Lane = { waiting: [], isAsking: false }
    this.#lanes.set(mark, lane)
    return lane
  }
}
