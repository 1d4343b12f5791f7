import { createServer, type Server } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import type { BackendHealth } from '../../src/backend/backend.js'
import { healthHandlers } from '../../src/observe/health.js'

const servers: Server[] = []
afterEach(() => servers.splice(0).forEach((server) => server.close()))

const peers: BackendHealth['peers'] = [
  { node: 'b', address: '127.0.0.1:1', state: 'up' },
  { node: 'c', address: '127.0.0.1:2', state: 'down', detail: 'ECONNREFUSED' },
]

async function ask(health: BackendHealth, path: 'live' | 'ready', method = 'GET'): Promise<Response> {
  const handlers = healthHandlers(() => health)
  const server = createServer((req, res) => handlers[path](req, res))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return await fetch(`http://127.0.0.1:${address.port}/`, { method })
}

test('a node that can serve every session is ready', async () => {
  const response = await ask({ ready: true, detail: 'ready', node: 'a', peers }, 'ready')

  expect(response.status).toBe(200)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(await response.json()).toEqual({ status: 'ready', detail: 'ready', node: 'a', peers: { b: 'up', c: 'down' } })
})

test('a node that cannot yet is not ready but alive', async () => {
  const health = { ready: false, detail: 'waits for 1 peer', node: 'a', peers }
  const ready = await ask(health, 'ready')
  const live = await ask(health, 'live')

  expect(ready.status).toBe(503)
  expect(ready.headers.get('retry-after')).toBe('1')
  expect(await ready.json()).toMatchObject({ status: 'not ready', detail: 'waits for 1 peer' })
  expect(live.status).toBe(200)
  expect(await live.json()).toEqual({ status: 'alive', node: 'a' })
})

test('a HEAD gets the status alone', async () => {
  const response = await ask({ ready: false, detail: '', peers: [] }, 'ready', 'HEAD')

  expect([response.status, await response.text()]).toEqual([503, ''])
})
