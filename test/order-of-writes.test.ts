import { createServer } from 'node:http'
import { Socket, type AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { createCluster, type Session } from '../src/index.js'
import type { Concern } from '../src/replica/events.js'
import { freePort } from './free-port.js'

/** Where every socket of node hands its bytes to the system, after whatever was corked. */
const WRITE = '_writeGeneric'

interface Writing {
  [WRITE]: (this: Socket, writev: boolean, data: unknown, encoding: string, done: () => void) => void
}

const closing: (() => unknown)[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const close of closing.splice(0).toReversed()) await close()
})

test('the delta of a commit that waits for nobody leaves right behind the response, before anything else is done', async () => {
  const { url, cookie, written } = await shop()

  await (await fetch(url, { headers: { cookie } })).text()

  expect(written.slice(0, 3)).toEqual(['response', 'delta', 'microtask'])
})

test('the delta of a commit that waits for a confirmation leaves before the response', async () => {
  const { url, cookie, written } = await shop('one')

  await (await fetch(url, { headers: { cookie } })).text()

  expect(written.slice(0, 2)).toEqual(['delta', 'microtask'])
  expect(written).toContain('response')
})

/** Notes what two nodes write from now on to a browser and to each other, and when the first of it was through. */
function watchWrites(port: number, written: string[]): void {
  const sockets = Socket.prototype as unknown as Writing
  const { [WRITE]: write } = sockets
  vi.spyOn(sockets, WRITE).mockImplementation(function (this: Socket, ...args) {
    if (this.remotePort === port) return write.apply(this, args)
    if (written.length === 0) queueMicrotask(() => written.push('microtask'))
    written.push(this.localPort === port ? 'response' : 'delta')
    return write.apply(this, args)
  })
}

/** A server on one of two nodes, the cookies of a browser that has a session there, and what its next request has written. */
async function shop(write: Concern = 'async'): Promise<{ url: string; cookie: string; written: readonly string[] }> {
  const peers = await Promise.all(['a', 'b'].map(async () => `127.0.0.1:${await freePort()}`))
  const backend = { type: 'replicated', acks: { write } } as const
  const nodes = await Promise.all(
    peers.map(async (listen, i) => {
      return await createCluster({ name: 'shop', log: () => {}, peers, backend, node: { id: `node-${i}`, listen } })
    }),
  )
  for (const node of nodes) closing.push(async () => await node.close())
  await vi.waitFor(() => {
    for (const node of nodes) expect(node.metrics()).toMatchObject({ session_mesh_peers_up: 1, session_mesh_ready: 1 })
  }, 10_000)
  const sessions = nodes[0]?.sessions()
  const written: string[] = []
  const server = createServer((req, res) => {
    sessions?.(req, res, () => {
      const session: Session<{ clicks: number }> = req.session
      session.clicks = (session.clicks ?? 0) + 1
      // From inside the request on: a digest that is due has no turn in between.
      if (session.clicks > 1) watchWrites(req.socket.localPort ?? 0, written)
      res.end('done')
    })
  })
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/`
  const cookies = (await fetch(url)).headers.getSetCookie().map((line) => line.split(';', 1)[0])
  return { url, cookie: cookies.join('; '), written }
}
