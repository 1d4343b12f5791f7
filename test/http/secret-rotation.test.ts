import { createServer } from 'node:http'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createCluster, type Cluster, type Session } from '../../src/index.js'
import { freePort } from '../free-port.js'
import { Client } from './support.js'

const OLD = 'b0Q1hZk6s2vYx8uJ3nWc7mEa5tRd9pLf'
const NEW = 'Kf4Xq7Vw1zNs6Cj9Gt2By5Hu8Mp3Ld0R'

interface Node {
  readonly cluster: Cluster
  readonly browser: Client
}

async function start(id: string, listen: string, peers: readonly string[], secret: readonly string[]): Promise<Node> {
  const cluster = await createCluster({ name: 'shop', node: { id, listen }, peers, secret, log: () => {} })
  onTestFinished(async () => await cluster.close())
  const sessions = cluster.sessions()
  const server = createServer((req, res) => {
    sessions(req, res, (error?: unknown) => {
      if (error !== undefined) return void res.writeHead(503).end('no session now')
      const session: Session<Record<string, unknown>> = req.session
      if (req.url === '/set') session['n'] = Number(session['n'] ?? 0) + 1
      return void res.end(JSON.stringify(session))
    })
  })
  onTestFinished(() => void server.close())
  onTestFinished(() => server.closeAllConnections())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { cluster, browser: new Client(server) }
}

test('three rolling restarts change the secret, and no session ends', async () => {
  const ports = [await freePort(), await freePort()]
  const peers = ports.map((port) => `127.0.0.1:${port}`)
  const [listenA = '', listenB = ''] = peers
  const together = async (...nodes: readonly Node[]): Promise<void> => {
    await Promise.all(nodes.map(async ({ cluster }) => await cluster.ready()))
    await vi.waitFor(() => {
      for (const { cluster } of nodes) expect(cluster.backend.health().peers.map(({ state }) => state)).toEqual(['up'])
    }, { timeout: 10_000 })
  }
  let a = await start('a', listenA, peers, [OLD])
  let b = await start('b', listenB, peers, [OLD])
  await together(a, b)
  await a.browser.get('/set')
  const jar = [...a.browser.jar]
  const cookie = jar.map(([name, value]) => `${name}=${value}`).join('; ')
  const holds = async (node: Node): Promise<void> => {
    await vi.waitFor(async () => expect((await node.browser.send({ path: '/', cookie })).body).toBe('{"n":1}'), { timeout: 10_000 })
  }

  for (const secrets of [[OLD, NEW], [NEW, OLD], [NEW]]) {
    await a.cluster.close()
    a = await start('a', listenA, peers, secrets)
    await together(a, b)
    await holds(a)
    await b.cluster.close()
    b = await start('b', listenB, peers, secrets)
    await together(a, b)
    await holds(b)
  }
  await b.browser.get('/set')
  const fresh = [...b.browser.jar].map(([name, value]) => `${name}=${value}`).join('; ')
  expect((await a.browser.send({ path: '/', cookie: fresh })).body).toBe('{"n":1}')
}, 60_000)
