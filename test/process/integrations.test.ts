/** examples/integrations: each with the real package that it is about, over two nodes. */
import { io, type Socket } from 'socket.io-client'
import { expect, onTestFinished, test, vi } from 'vitest'
import { CANARY_VALUE } from '../support/canary/scan.js'
import { freePorts } from '../support/members.js'
import { installedExample, listening } from './installed-example.js'

const EXAMPLES = ['express-session', 'passport', 'nestjs', 'fastify', 'fastify-session', 'hono', 'socket.io']

const example = installedExample('integrations', EXAMPLES)

/** Two nodes of one example. */
async function start(name: string): Promise<readonly [a: string, b: string]> {
  const [portOfA = 0, portOfB = 0, gossipOfA = 0, gossipOfB = 0] = await freePorts(4)
  const peers = `127.0.0.1:${gossipOfA},127.0.0.1:${gossipOfB}`
  const node = async (id: string, port: number, gossip: number): Promise<string> => {
    const mesh = { SESSION_MESH_NODE: id, SESSION_MESH_LISTEN: `127.0.0.1:${gossip}`, SESSION_MESH_PEERS: peers }
    return await listening(example(name), port, { ...process.env, ...mesh })
  }
  return await Promise.all([node('a', portOfA, gossipOfA), node('b', portOfB, gossipOfB)])
}

/** Keeps cookies, for all ports of this host. */
class Browser {
  readonly #jar = new Map<string, string>()

  get cookie(): string {
    return [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async ask(method: 'GET' | 'POST', url: string): Promise<unknown> {
    const answer = await fetch(url, { method, headers: { cookie: this.cookie } })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      this.#jar.set(name, value)
    }
    expect(answer.ok, `${method} ${url}: ${answer.status}`).toBe(true)
    return await answer.json()
  }

  /** The same cookies, and none of what comes later. */
  copy(): Browser {
    const copy = new Browser()
    for (const [name, value] of this.#jar) copy.#jar.set(name, value)
    return copy
  }
}

test.each(EXAMPLES)('%s: who logs in on one node is known on the other, and logged out on both by either', async (name) => {
  const [a, b] = await start(name)
  const browser = new Browser()
  const user = `${CANARY_VALUE} ${name}`

  expect(await browser.ask('POST', `${a}/login?user=${encodeURIComponent(user)}`)).toEqual({ user })
  expect(await browser.ask('GET', b)).toEqual({ user })
  const thief = browser.copy()
  expect(await browser.ask('POST', `${b}/logout`)).toEqual({ user: null })

  for (const node of [a, b]) {
    expect(await browser.ask('GET', node)).toEqual({ user: null })
    expect(await thief.copy().ask('GET', node)).toEqual({ user: null })
  }
})

test('socket.io: a socket knows its session, and is disconnected when that ends on the other node', async () => {
  const [a, b] = await start('socket.io')
  const browser = new Browser()
  await browser.ask('POST', `${a}/login?user=ada`)

  const stranger = connect(b, '')
  const refused = new Promise<string>((resolve) => stranger.on('connect_error', ({ message }) => resolve(message)))
  expect(await refused).toBe('log in first')
  const socket = connect(b, browser.cookie)
  expect(await socket.emitWithAck('whoami')).toBe('ada')
  await browser.ask('POST', `${a}/logout`)

  await vi.waitFor(() => expect(socket.connected).toBe(false), { timeout: 5_000 })
})

function connect(url: string, cookie: string): Socket {
  const socket = io(url, { extraHeaders: { cookie }, reconnection: false })
  onTestFinished(() => void socket.close())
  return socket
}
