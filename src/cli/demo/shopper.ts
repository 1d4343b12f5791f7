import { setTimeout as pause } from 'node:timers/promises'
import { type Answer, type Browser, leadsToLogin } from './browser.js'
import type { Tally } from './tally.js'

const LOGIN_TRIES = 4
const ASK_AGAIN_FOR_MS = 3_000
const ASK_AGAIN_AFTER_MS = 50
const CLICKS_PER_ROUND = 5
const GOODS = ['teapot', 'lamp', 'globe', 'kite', 'scarf', 'plant']

/** Somebody with a browser who knows what must be in the cart, and notices when the shop does not. */
export class Shopper {
  readonly name: string
  readonly browser: Browser
  readonly #tally: Tally
  readonly #now: () => number
  /** When each change of the session was confirmed to the browser. */
  readonly #changedAt: number[] = []

  constructor(name: string, browser: Browser, tally: Tally, now: () => number) {
    this.name = name
    this.browser = browser
    this.#tally = tally
    this.#now = now
  }

  /** Puts something into the cart as a guest, then logs in (new id) and follows the redirect at once. */
  async enter(): Promise<void> {
    await this.#addToCart(0)
    for (let tries = 0; tries < LOGIN_TRIES; tries++) {
      const answer = await this.#timed(() => this.browser.post('/login', { name: this.name }))
      if (answer.status !== 303) continue // that node was just killed: people press the button again
      this.#look(await this.#timed(() => this.browser.follow(answer)))
      return
    }
  }

  /** The next click is sent when the answer to the one before is there. */
  async click(number: number): Promise<void> {
    this.#tally.clicks++
    switch (number % CLICKS_PER_ROUND) {
      case 2:
        return await this.#addToCart(number)
      case 3: // where the click before redirects to
        return this.#look(await this.#timed(() => this.browser.get('/cart')))
      default:
        return this.#look(await this.#timed(() => this.browser.get('/account')))
    }
  }

  /** What the cart must hold at least, when changes confirmed between `from` and `to` may be missing. */
  changesOutside(from: number, to: number): number {
    return this.#changedAt.filter((at) => at < from || at > to).length
  }

  changedBetween(from: number, to: number): boolean {
    return this.#changedAt.some((at) => at >= from && at <= to)
  }

  async #addToCart(number: number): Promise<void> {
    const item = GOODS[number % GOODS.length] ?? 'teapot'
    const answer = await this.#timed(() => this.browser.post('/cart', { item }))
    if (answer.status !== 303) {
      this.#tally.unanswered++
      return
    }
    this.#changedAt.push(this.#now())
  }

  #look(answer: Answer): void {
    if (leadsToLogin(answer)) this.#tally.loginRedirects++
    else if (answer.status !== 200) this.#tally.unanswered++
    else if (answer.user !== this.name) this.#tally.strangers++
    else if (cartShown(answer) < this.#changedAt.length) this.#tally.stale++
  }

  async #timed(send: () => Promise<Answer>): Promise<Answer> {
    const sentAt = this.#now()
    const answer = await send()
    this.#tally.answered(this.#now() - sentAt)
    return answer
  }
}

function cartShown(page: Answer): number {
  return Number(/Cart \((\d+)\)/.exec(page.body)?.[1] ?? 0)
}

/** What a node says about the session of a browser. */
export interface Me {
  readonly user: string | undefined
  readonly cart: number
  readonly orders: number
}

/** Asks the node behind this browser. A 503 means "not yet", so it is asked again for a while. */
export async function whoAmI(browser: Browser, now: () => number): Promise<Me> {
  const until = now() + ASK_AGAIN_FOR_MS
  let answer = await browser.get('/api/me')
  while (answer.status === 503 && now() < until) {
    await pause(ASK_AGAIN_AFTER_MS)
    answer = await browser.get('/api/me')
  }
  const told: unknown = answer.status === 200 ? JSON.parse(answer.body) : undefined
  const { user, cart, orders } = Object(told)
  return {
    user: typeof user === 'string' ? user : undefined,
    cart: typeof cart === 'number' ? cart : 0,
    orders: typeof orders === 'number' ? orders : 0,
  }
}
