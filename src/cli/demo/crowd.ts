import { ANSWER_WITHIN_MS, Browser } from './browser.js'
import { Client } from './client.js'
import { Shopper, whoAmI } from './shopper.js'
import { type Figures, Tally } from './tally.js'

export interface CrowdSize {
  readonly sessions: number
  /** Browsers that are busy at one time. */
  readonly concurrency: number
  readonly clicks: number
}

/** A change older than this when a node is killed must be on the other nodes. */
export const SAFE_AFTER_MS = 1_000

/** Many browsers in front of the round robin. */
export class Crowd {
  readonly shoppers: readonly Shopper[]
  readonly #size: CrowdSize
  readonly #now: () => number
  readonly #tally = new Tally()
  readonly #client: Client
  #elapsedMs = 0

  constructor(size: CrowdSize, port: number, now: () => number) {
    this.#size = size
    this.#now = now
    this.#client = new Client(size.concurrency, ANSWER_WITHIN_MS, now)
    this.shoppers = Array.from({ length: size.sessions }, (_, index) => {
      return new Shopper(`Shopper ${index + 1}`, new Browser(port, this.#client), this.#tally, now)
    })
  }

  get figures(): Figures {
    return this.#tally.figures(this.#elapsedMs)
  }

  /** Everybody logs in and makes the first `clicks` clicks. */
  async enter(clicks: number): Promise<void> {
    await this.#work(async (shopper) => {
      await shopper.enter()
      for (let number = 0; number < clicks; number++) await shopper.click(number)
    })
  }

  /** Everybody makes the rest of the clicks. `done` hears how many browsers are through. */
  async goOn(from: number, done: (browsers: number) => void): Promise<void> {
    let browsers = 0
    await this.#work(async (shopper) => {
      for (let number = from; number < this.#size.clicks; number++) await shopper.click(number)
      done(++browsers)
    })
  }

  /**
   * Asks one node, past the proxy, for every session: who is missing, or has lost a change that was not made
   * between `from` and `to`?
   */
  async missingOn(nodePort: number, from: number, to: number): Promise<string[]> {
    const missing: string[] = []
    await pool(this.shoppers, this.#size.concurrency, async (shopper) => {
      const mine = await whoAmI(shopper.browser.at(nodePort), this.#now)
      if (mine.user !== shopper.name || mine.cart < shopper.changesOutside(from, to)) missing.push(shopper.name)
    })
    return missing
  }

  leave(): void {
    this.#client.close()
  }

  async #work(work: (shopper: Shopper) => Promise<void>): Promise<void> {
    const startedAt = this.#now()
    await pool(this.shoppers, this.#size.concurrency, work)
    this.#elapsedMs += this.#now() - startedAt
  }
}

/** `width` workers take from one list until it is empty. */
async function pool<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const list = items.values()
  const worker = async (): Promise<void> => {
    for (const item of list) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
}
