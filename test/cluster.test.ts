import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createCluster, defineConfig, toPrometheus, type Cluster, type ClusterConfig, type Session } from '../src/index.js'
import { VERSION } from '../src/version.js'
import { freePort } from './free-port.js'

const SECRET = 'b0Q1hZk6s2vYx8uJ3nWc7mEa5tRd9pLf'

const clusters: Cluster[] = []
const servers: Server[] = []
afterEach(async () => {
  await Promise.all(clusters.splice(0).map(async (cluster) => await cluster.close()))
  servers.splice(0).forEach((server) => server.close())
})

async function open(config: Partial<ClusterConfig>): Promise<Cluster> {
  const cluster = await createCluster({ name: 'shop', log: () => {}, ...config })
  clusters.push(cluster)
  return cluster
}

/** A shop of one page that counts clicks. */
async function serve(cluster: Cluster): Promise<string> {
  const sessions = cluster.sessions()
  const { live, ready } = cluster.health()
  const server = createServer((req, res) => {
    if (req.url === '/healthz') live(req, res)
    else if (req.url === '/readyz') ready(req, res)
    else {
      sessions(req, res, (error?: unknown) => {
        if (error !== undefined) return res.writeHead(503).end()
        const session: Session<{ clicks: number }> = req.session
        session.clicks = (session.clicks ?? 0) + 1
        return res.end(String(session.clicks))
      })
    }
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** One click of a browser, whose cookies are kept in `jar`. */
async function click(url: string, jar: Map<string, string>): Promise<string> {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const response = await fetch(url, { headers: { cookie } })
  for (const line of response.headers.getSetCookie()) {
    const [name = '', value = ''] = (line.split(';', 1)[0] ?? '').split('=', 2)
    jar.set(name, value)
  }
  return await response.text()
}

describe('a cluster of one', () => {
  test('serves sessions from memory', async () => {
    const cluster = await open({ backend: { type: 'memory' } })
    const url = await serve(cluster)
    const jar = new Map<string, string>()

    expect([await click(url, jar), await click(url, jar)]).toEqual(['1', '2'])
    expect(cluster.backend.type).toBe('memory')
    expect(cluster.metrics()).toMatchObject({ session_mesh_sessions: 1, session_mesh_ready: 1, session_mesh_peers: 0 })
    expect(toPrometheus(cluster.metrics())).toContain('# TYPE session_mesh_sessions gauge\nsession_mesh_sessions 1\n')
  })

  test('is ready at once, and not any more once it closes', async () => {
    const cluster = await open({ node: { id: 'a', listen: '127.0.0.1:0' } })
    const url = await serve(cluster)
    await cluster.ready()

    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    const closed = cluster.close()
    const response = await fetch(`${url}/readyz`)

    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ status: 'not ready', detail: 'closing', node: 'a' })
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    await closed
    await cluster.close()
  })

  test('says at start that nothing protects it without a secret', async () => {
    const log = vi.fn()
    await open({ node: { listen: '127.0.0.1:0' }, log })

    expect(log).toHaveBeenCalledWith('warn', 'no-secret', expect.objectContaining({ detail: expect.any(String) }))
  })

  test('options of one mount are checked', async () => {
    const cluster = await open({ backend: { type: 'memory' } })

    expect(() => cluster.sessions({ ttl: '1y' as '1d' })).toThrow(/ttl: not a duration/)
    expect(cluster.sessions({ load: 'on-demand' })).toBeTypeOf('function')
  })
})

test('a wrong configuration opens nothing and tells every mistake', async () => {
  const config = { name: '', node: { listen: 'x' }, limits: { sessions: 0 } }

  await expect(createCluster(config)).rejects.toMatchObject({
    code: 'SESSION_MESH_CONFIG',
    problems: [expect.stringMatching(/^name: /), expect.stringMatching(/^node\.listen: /), expect.stringMatching(/^limits\.sessions: /)],
  })
})

test('what was opened is closed again when the rest cannot be', async () => {
  const admin = { listen: `127.0.0.1:${await freePort()}` }
  const first = await open({ node: { listen: '127.0.0.1:0' }, admin })
  const listen = `127.0.0.1:${await freePort()}`

  await expect(createCluster({ name: 'shop', log: () => {}, node: { listen }, admin })).rejects.toThrow('EADDRINUSE')
  const again = await open({ node: { listen } })

  expect(again.node).toBe(first.node)
})

test('three nodes are one shop to a browser, whichever answers', async () => {
  const ports = [await freePort(), await freePort(), await freePort()]
  const peers = ports.map((port) => `127.0.0.1:${port}`)
  const config = defineConfig({ name: 'shop', secret: SECRET, peers })
  const nodes = await Promise.all(
    ['a', 'b', 'c'].map(async (id, index) => await open({ ...config, node: { id, listen: peers[index] } })),
  )
  await Promise.all(nodes.map(async (node) => await node.ready()))
  const urls = await Promise.all(nodes.map(serve))

  const jar = new Map<string, string>()
  const counts: string[] = []
  for (let round = 0; round < 12; round++) counts.push(await click(urls[round % 3] ?? '', jar))

  expect(counts).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12'])
  await vi.waitFor(async () => {
    expect(new Set(await Promise.all(nodes.map(async (node) => await node.backend.digest()))).size).toBe(1)
  })
  for (const node of nodes) {
    expect(node.metrics()).toMatchObject({ session_mesh_sessions: 1, session_mesh_peers_up: 2, session_mesh_ready: 1 })
  }
})

test('the version is that of the package', () => {
  const text = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')

  expect(JSON.parse(text)).toMatchObject({ version: VERSION })
})
