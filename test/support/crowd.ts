import { setTimeout as pause } from 'node:timers/promises'
import { Browser, type Page } from './browser.js'
import { each, spread } from './load.js'

export interface CrowdOptions {
  readonly browsers: number
  /** Milliseconds between an answer and the next request, on average. */
  readonly thinkMs: number
  /** Logs in also as a principal. */
  readonly principals?: boolean
}

interface Visitor {
  readonly browser: Browser
  readonly user: string
  /** Clicks that were answered. */
  clicks: number
  /** A click that got no answer, or 503, may have been counted or not. */
  isUncertain: boolean
  isOut: boolean
}

const ASKS_MAX = 50

/**
 * Logged-in browsers behind a load balancer that knows which nodes are ready, sends each request to the next of them, and
 * to another when one cannot be reached or answers 503. Every click counts one up in the session, so that a lost write
 * shows in the next answer, and a lost login in the user's name.
 */
export class Crowd {
  /** `twice`: counted although the answer was 503 or none, and counted again where it was sent next. */
  readonly counts = { requests: 0, failed: 0, retried: 0, loggedOut: 0, lost: 0, twice: 0 }
  readonly #options: CrowdOptions
  readonly #ready = new Map<number, number>()
  readonly #waits: number[] = []
  readonly #running = new Map<number, number>()
  readonly #visitors: Visitor[]
  #lanes: Promise<unknown> = Promise.resolve()
  #isPaused = true
  #turn = 0

  constructor(options: CrowdOptions) {
    this.#options = options
    this.#visitors = Array.from({ length: options.browsers }, (_, number) => {
      return { browser: new Browser(), user: `user-${number}`, clicks: 0, isUncertain: false, isOut: false }
    })
  }

  /** Node `node` answers at `port`. */
  admit(node: number, port: number): void {
    this.#ready.set(node, port)
  }

  /** Sends nothing there any more, and resolves when what was sent is answered. */
  async withdraw(node: number): Promise<void> {
    const port = this.#ready.get(node) ?? 0
    this.#ready.delete(node)
    while ((this.#running.get(port) ?? 0) > 0) await pause(2)
  }

  /** The port of a node that is gone is no longer asked; requests under way there fail. */
  forget(node: number): void {
    this.#ready.delete(node)
  }

  async logIn(): Promise<void> {
    const principal = this.#options.principals === true ? '&principal' : ''
    await each(this.#visitors.length, 25, async (i) => {
      const visitor = this.#visitors[i] as Visitor
      const page = await this.#ask(visitor, `/login?user=${visitor.user}${principal}`)
      if (page?.status !== 200) throw new Error(`${visitor.user} cannot log in: ${page?.status ?? 'no answer'}`)
    })
  }

  /** Everybody clicks on, until `rest()`. */
  stroll(): void {
    this.#isPaused = false
    const visitors = this.#visitors.filter(({ isOut }) => !isOut)
    this.#lanes = Promise.all(visitors.map(async (visitor, i) => await this.#walk(visitor, i)))
  }

  /** Resolves when nobody waits for an answer. */
  async rest(): Promise<void> {
    this.#isPaused = true
    await this.#lanes
  }

  /** These log out, by one request each; from then on each of their clicks counts as nobody's. */
  async logOut(from: number, to: number): Promise<void> {
    await each(to - from, 10, async (i) => {
      const visitor = this.#visitors[from + i] as Visitor
      visitor.isOut = true
      // Its cookie as a thief would have kept it.
      const jar = new Map(visitor.browser.jar)
      await this.#ask(visitor, '/logout')
      for (const [name, value] of jar) visitor.browser.jar.set(name, value)
    })
  }

  /** How many of those who logged out some node takes for logged in. */
  async revived(): Promise<number> {
    let revived = 0
    const out = this.#visitors.filter(({ isOut }) => isOut)
    for (const port of this.#ready.values()) {
      await each(out.length, 10, async (i) => {
        const visitor = out[i] as Visitor
        const { browser } = visitor
        const jar = new Map(browser.jar)
        if (userOf(await this.#askAt(port, visitor, '/click')) !== null) revived++
        for (const [name, value] of jar) browser.jar.set(name, value)
      })
    }
    return revived
  }

  /** Everybody who did not log out is asked once more on every node; counts as all clicks do. */
  async count(): Promise<void> {
    for (const port of this.#ready.values()) {
      await each(this.#visitors.length, 25, async (i) => {
        const visitor = this.#visitors[i] as Visitor
        if (!visitor.isOut) this.#judge(visitor, await this.#askAt(port, visitor, '/click'))
      })
    }
  }

  figures(): object {
    return { ...this.counts, ms: spread(this.#waits) }
  }

  async #walk(visitor: Visitor, number: number): Promise<void> {
    const { thinkMs } = this.#options
    await pause((thinkMs * number) / this.#visitors.length)
    while (!this.#isPaused && !visitor.isOut) {
      const page = await this.#ask(visitor, '/click')
      if (page === undefined || page.status !== 200) this.counts.failed++
      if (page !== undefined && !visitor.isOut) this.#judge(visitor, page)
      await pause(thinkMs * (0.5 + Math.random()))
    }
  }

  #judge(visitor: Visitor, page: Page): void {
    this.counts.requests++
    if (page.status !== 200) return
    if (userOf(page) !== visitor.user) {
      this.counts.loggedOut++
      return
    }
    const { clicks } = page.value as { readonly clicks: number }
    if (visitor.isUncertain && clicks > visitor.clicks) this.counts.twice++
    else if (clicks !== visitor.clicks) this.counts.lost++
    visitor.clicks = clicks + 1
    visitor.isUncertain = false
  }

  /** As a load balancer does: where there is no answer, or 503, the next node is asked. */
  async #ask(visitor: Visitor, path: string): Promise<Page | undefined> {
    const startedAt = performance.now()
    for (let attempt = 0; attempt < ASKS_MAX; attempt++) {
      const port = this.#nextPort()
      if (port === undefined) {
        await pause(20)
        continue
      }
      const page = await this.#sent(visitor.browser, port, path)
      if (page !== undefined && page.status !== 503) {
        this.#waits.push(performance.now() - startedAt)
        return page
      }
      visitor.isUncertain = true
      this.counts.retried++
      await pause(5)
    }
    return undefined
  }

  /** One node and no other: again where it closed an idle connection in the moment in which it was used. */
  async #askAt(port: number, visitor: Visitor, path: string): Promise<Page> {
    for (let attempt = 0; attempt < ASKS_MAX; attempt++) {
      const page = await this.#sent(visitor.browser, port, path)
      if (page !== undefined) return page
      visitor.isUncertain = true
      this.counts.retried++
    }
    throw new Error(`no answer from the node at ${port}`)
  }

  async #sent(browser: Browser, port: number, path: string): Promise<Page | undefined> {
    const running = this.#running.get(port) ?? 0
    this.#running.set(port, running + 1)
    try {
      return await browser.get(port, path)
    } catch {
      return undefined
    } finally {
      this.#running.set(port, (this.#running.get(port) ?? 1) - 1)
    }
  }

  #nextPort(): number | undefined {
    const ports = [...this.#ready.values()]
    return ports[this.#turn++ % Math.max(1, ports.length)]
  }
}

function userOf(page: Page): unknown {
  return (page.value as { readonly user?: unknown } | null | undefined)?.user ?? null
}
