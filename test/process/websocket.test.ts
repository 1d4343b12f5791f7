import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { Browser } from '../support/browser.js'
import { each, report, spread } from '../support/load.js'
import { Members } from '../support/members.js'

const TTL_MS = 3_000

let cluster: Members | undefined
const open: WebSocket[] = []

afterEach(async () => {
  for (const socket of open.splice(0)) socket.terminate()
  await cluster?.stop()
  cluster = undefined
})

async function start(ttl: number): Promise<Members> {
  cluster = await Members.start({ size: 3, config: { session: { ttl } } })
  return cluster
}

/** The browser's end of one socket. */
class Tab {
  readonly #socket: WebSocket
  /** Code, reason and moment of the end. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string; readonly at: number }>
  isOpen = true

  constructor(socket: WebSocket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.isOpen = false
        resolve({ code, reason: reason.toString(), at: Date.now() })
      })
    })
  }

  static async open(port: number, browser: Browser): Promise<Tab> {
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { cookie } })
    open.push(socket)
    const tab = new Tab(socket)
    await once(socket, 'open')
    return tab
  }

  async say(text: string): Promise<{ readonly node?: string; readonly user?: string; readonly n?: string }> {
    const answered = once(this.#socket, 'message')
    this.#socket.send(text)
    return JSON.parse(String((await answered)[0]))
  }
}

test('chatting keeps a session of 3 seconds alive for 10, and the next request finds it on another node', async () => {
  const members = await start(TTL_MS)
  const [chatty, silent] = [new Browser(), new Browser()]
  await chatty.get(members.member(0).port, '/login?user=ada')
  await silent.get(members.member(0).port, '/login?user=bob')
  const tab = await Tab.open(members.member(1).port, chatty)
  const other = await Tab.open(members.member(1).port, silent)

  for (let second = 0; second < 10; second++) {
    expect(await tab.say('hello')).toMatchObject({ node: 'node-1', user: 'ada' })
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }

  expect(tab.isOpen).toBe(true)
  expect((await chatty.get(members.member(2).port, '/get')).value).toBe('ada')
  expect(await other.closed).toMatchObject({ code: 1008, reason: 'session expired' })
  expect((await silent.get(members.member(2).port, '/get')).value).toBeNull()
})

test('a logout on another node closes the socket within a second', async () => {
  const members = await start(600_000)
  const delays: number[] = []

  await each(50, 5, async (i) => {
    const browser = new Browser()
    await browser.get(members.member(i).port, '/login?user=ada')
    const tab = await Tab.open(members.member(i + 1).port, browser)
    await tab.say('hello')
    const startedAt = Date.now()

    await browser.get(members.member(i + 2).port, '/logout')

    const { code, reason, at } = await tab.closed
    expect([code, reason]).toEqual([1008, 'session ended'])
    delays.push(at - startedAt)
  })

  report('logout on another node: from the request to the close of the socket, ms', spread(delays))
  expect(Math.max(...delays)).toBeLessThan(1_000)
})

test('logging out everywhere closes the sockets of that user on every node, and no others', async () => {
  const members = await start(600_000)
  const login = async (user: string, node: number): Promise<Tab> => {
    const browser = new Browser()
    await browser.get(members.member(node).port, `/login?user=${user}&principal`)
    const tab = await Tab.open(members.member(node).port, browser)
    await tab.say('hello')
    return tab
  }
  const adas = await Promise.all([login('ada', 0), login('ada', 1), login('ada', 2)])
  const bob = await login('bob', 1)
  const startedAt = Date.now()

  await new Browser().get(members.member(2).port, '/everywhere?user=ada')

  const ends = await Promise.all(adas.map(({ closed }) => closed))
  for (const { code, reason } of ends) expect([code, reason]).toEqual([1008, 'logged out'])
  report('logging out everywhere: to the close of the last of 3 sockets, ms', Math.max(...ends.map(({ at }) => at - startedAt)))
  expect(await bob.say('still here')).toMatchObject({ user: 'bob' })
})

test('a new id, made on another node, leaves the socket open, and what was written is seen', async () => {
  const members = await start(600_000)
  const browser = new Browser()
  await browser.get(members.member(0).port, '/login?user=ada')
  const tab = await Tab.open(members.member(1).port, browser)
  await tab.say('hello')
  const before = browser.jar.get('sid')

  await browser.get(members.member(2).port, '/login?user=grace')

  expect(browser.jar.get('sid')).not.toBe(before)
  await expect.poll(() => tab.say('who am I'), { interval: 1 }).toMatchObject({ user: 'grace' })
})

test('the end by time closes the socket within a second', async () => {
  const members = await start(TTL_MS)
  const lateness: number[] = []

  await each(30, 30, async (i) => {
    const browser = new Browser()
    await browser.get(members.member(i).port, '/login?user=ada')
    // The upgrade is the last access.
    const tab = await Tab.open(members.member(i + 1).port, browser)
    const lastUse = Date.now()

    const { code, reason, at } = await tab.closed

    expect([code, reason]).toEqual([1008, 'session expired'])
    lateness.push(at - lastUse - TTL_MS)
  })

  report('idle lifetime over: until the socket is closed, ms', spread(lateness))
  expect(Math.max(...lateness)).toBeLessThan(1_000)
  // An access that is not noted yet (touchAfter) may cost that much of the lifetime, and no more.
  expect(Math.min(...lateness)).toBeGreaterThan(-TTL_MS / 20 - 100)
})
