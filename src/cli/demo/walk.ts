import { type Answer, ANSWER_WITHIN_MS, Browser, leadsToLogin } from './browser.js'
import { Client } from './client.js'
import { type Console, expect } from './console.js'
import type { RoundRobinProxy } from './proxy.js'
import { type Me, whoAmI } from './shopper.js'
import type { Supervisor } from './supervisor.js'

/** What the walk and the crowd act on. */
export interface Stage {
  readonly supervisor: Supervisor
  readonly proxy: RoundRobinProxy
  readonly port: number
  readonly console: Console
  readonly now: () => number
}

export interface LoopResult {
  readonly clicks: number
  readonly loginRedirects: number
}

const LINKS = 12
const CONNECTIONS = 6

/** Logs in once and clicks 12 links through the round robin: how many of them end at the login page? */
export async function clickLinks(stage: Stage): Promise<LoopResult> {
  const { supervisor, proxy, port } = stage
  const client = new Client(CONNECTIONS, ANSWER_WITHIN_MS, stage.now)
  const ada = new Browser(port, client)
  const [first] = supervisor.nodes
  proxy.turnTo(first?.name ?? 'a')
  let loginRedirects = 0
  try {
    await ada.post('/login', { name: 'Ada' })
    for (let click = 0; click < LINKS; click++) {
      if (leadsToLogin(await ada.get('/account'))) loginRedirects++
    }
  } finally {
    client.close()
  }
  return { clicks: LINKS, loginRedirects }
}

/** One customer's way over the nodes. Every request goes through the proxy, whose turn is set beforehand. */
export class Walk {
  readonly #stage: Stage
  readonly #client: Client
  readonly #browser: Browser

  constructor(stage: Stage) {
    this.#stage = stage
    this.#client = new Client(CONNECTIONS, ANSWER_WITHIN_MS, stage.now)
    this.#browser = new Browser(stage.port, this.#client)
  }

  async go(): Promise<void> {
    const { supervisor } = this.#stage
    const [a = 'a', b = a, c = b] = supervisor.nodes.map((node) => node.name)
    try {
      await this.#shopping(a, b, c)
      await this.#crash(a)
      await this.#loggingOut(c)
    } finally {
      this.#client.close()
    }
  }

  async #shopping(a: string, b: string, c: string): Promise<void> {
    const { console } = this.#stage
    await console.step(c, 'a guest puts a teapot into the cart', async () => {
      expectStatus(await this.#post(c, '/cart', { item: 'teapot' }), 303)
    })
    const guest = this.#browser.at(this.#stage.port)
    await console.step(a, 'log in: the session gets a new id', async () => {
      expectStatus(await this.#post(a, '/login', { name: 'Ada' }), 303)
      expect(String([...guest.cookies]) !== String([...this.#browser.cookies]), 'the id is still the same')
    })
    await console.step(b, 'the redirect, followed at once', async () => {
      expectUser(await this.#get(b, '/account'), 'Ada')
    })
    await console.step('all', 'the id from before the login is worth nothing', async () => {
      for (const me of await this.#everywhere(guest)) expect(me.user === undefined, 'the old id is logged in')
    })
    await console.step(b, 'order the cart', async () => {
      expectStatus(await this.#post(b, '/order'), 303)
    })
    await console.step(c, 'the order is there, the cart is empty', async () => {
      const answer = await this.#get(c, '/account')
      expectUser(answer, 'Ada')
      expect(answer.body.includes('No. 1: 1 piece'), 'the account page does not show the order')
      expect(answer.body.includes('Cart (0)'), 'the cart is still full')
    })
  }

  async #crash(a: string): Promise<void> {
    const { console, supervisor } = this.#stage
    await console.step(a, 'kill -9 the node that took the login', async () => {
      await supervisor.kill(a)
    })
    await console.step('rest', 'six clicks: still logged in, whoever answers', async () => {
      const nodes = new Set<string>()
      for (let click = 0; click < 6; click++) {
        const answer = await this.#browser.get('/account')
        expectUser(answer, 'Ada')
        nodes.add(answer.node)
      }
      expect(!nodes.has(a), `${a} answered, but it is dead`)
      return [...nodes].toSorted().join(', ')
    })
    await console.step(a, 'start it again: ready when its copy is complete', async () => {
      await supervisor.restart(a)
    })
    await console.step(a, 'asked first, it knows the session', async () => {
      expectUser(await this.#get(a, '/account'), 'Ada')
    })
  }

  async #loggingOut(c: string): Promise<void> {
    const { console } = this.#stage
    const stolen = this.#browser.at(this.#stage.port)
    await console.step(c, 'log out', async () => {
      expectStatus(await this.#post(c, '/logout'), 303)
    })
    await console.step('all', 'the same cookie is refused by every node', async () => {
      for (const me of await this.#everywhere(stolen)) expect(me.user === undefined, 'a node still knows it')
    })
  }

  async #get(node: string, path: string): Promise<Answer> {
    this.#stage.proxy.turnTo(node)
    return answeredBy(node, await this.#browser.get(path))
  }

  async #post(node: string, path: string, fields: Readonly<Record<string, string>> = {}): Promise<Answer> {
    this.#stage.proxy.turnTo(node)
    return answeredBy(node, await this.#browser.post(path, fields))
  }

  async #everywhere(browser: Browser): Promise<readonly Me[]> {
    const { supervisor, now } = this.#stage
    return await Promise.all(supervisor.nodes.map((node) => whoAmI(browser.at(node.port), now)))
  }
}

function answeredBy(node: string, answer: Answer): Answer {
  expect(answer.node === node, `${answer.node || 'nobody'} answered instead of ${node}`)
  return answer
}

function expectStatus(answer: Answer, status: number): void {
  expect(answer.status === status, `status ${answer.status} instead of ${status}`)
}

function expectUser(answer: Answer, name: string): void {
  expect(!leadsToLogin(answer), 'sent to the login page')
  expectStatus(answer, 200)
  expect(answer.user === name, `the page is for ${answer.user ?? 'nobody'}, not for ${name}`)
}
