import { EventEmitter } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createCluster, type BoundSocket, type Cluster } from '../../src/index.js'
import { bare, Client, routes, until } from './support.js'

/** What Engine.IO hands to middleware in place of the response to an upgrade: no more than this. */
class UpgradeResponse {
  readonly headers: Record<string, unknown> = {}
  setHeader(name: string, value: unknown): void {
    this.headers[name] = value
  }
  getHeader(name: string): unknown {
    return this.headers[name]
  }
  removeHeader(name: string): void {
    delete this.headers[name]
  }
  write(): void {}
  writeHead(): void {}
  end(): void {}
}

/** A socket as Socket.IO has it, as far as the recipe uses it. */
class FakeSocket extends EventEmitter {
  readonly request: IncomingMessage
  readonly anyListeners: (() => void)[] = []
  disconnected = false

  constructor(request: IncomingMessage) {
    super()
    this.request = request
  }

  onAny(listener: () => void): void {
    this.anyListeners.push(listener)
  }

  disconnect(): void {
    this.disconnected = true
    this.emit('disconnect')
  }

  receive(event: string): void {
    for (const listener of this.anyListeners) listener()
    this.emit(event)
  }
}

/** The recipe of docs/websockets.md. */
async function bind(cluster: Cluster, socket: FakeSocket): Promise<BoundSocket> {
  return await cluster.bindSocket(
    {
      onMessage: (heard) => socket.onAny(heard),
      onClose: (gone) => void socket.on('disconnect', gone),
      close: () => socket.disconnect(),
    },
    socket.request,
  )
}

/** A server with a login and rolling cookies, whose upgrades go through the middleware as Engine.IO does it. */
async function site(): Promise<{ cluster: Cluster; client: Client; connect: () => Promise<FakeSocket> }> {
  const cluster = await createCluster({ name: 'chat', backend: { type: 'memory' }, session: { touchAfter: 0, rolling: true }, log: () => {} })
  onTestFinished(() => cluster.close())
  const middleware = cluster.sessions()
  const handshakes: FakeSocket[] = []
  const http = createServer(
    bare(
      middleware,
      routes({
        '/login': (req, res) => {
          req.session.user = 'ada'
          res.end()
        },
        '/logout': async (req, res) => {
          await req.session.destroy()
          res.end()
        },
      }),
    ),
  )
  http.on('upgrade', (req, socket) => {
    const res = new UpgradeResponse()
    middleware(req, res as unknown as ServerResponse, (error) => {
      if (error !== undefined) throw error
      res.writeHead()
      handshakes.push(new FakeSocket(req))
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void http.close())
  const client = new Client(http)
  const connect = async (): Promise<FakeSocket> => {
    const before = handshakes.length
    const headers = { connection: 'Upgrade', upgrade: 'websocket' }
    client.get('/', { headers }).catch(() => {})
    await until(() => expect(handshakes.length).toBeGreaterThan(before))
    return handshakes.at(-1) as FakeSocket
  }
  return { cluster, client, connect }
}

describe('the Socket.IO recipe', () => {
  test('reads and writes the session of the handshake', async () => {
    const { cluster, client, connect } = await site()
    await client.get('/login')
    const socket = await connect()

    const bound = await bind(cluster, socket)
    const session = await bound.session()
    await session?.commit()

    expect(session?.toObject()).toEqual({ user: 'ada' })
    expect(socket.disconnected).toBe(false)
  })

  test('keeps the session alive by what arrives', async () => {
    const { cluster, client, connect } = await site()
    await client.get('/login')
    const socket = await connect()
    const { ref } = await bind(cluster, socket)
    const touch = vi.spyOn(cluster.backend, 'touch')

    await until(() => {
      socket.receive('chat')
      expect(touch).toHaveBeenCalledWith(ref, expect.any(Number))
    })
  })

  test('disconnects when the session ends, and those who have none', async () => {
    const { cluster, client, connect } = await site()
    const stranger = await connect()
    await bind(cluster, stranger)
    await client.get('/login')
    const socket = await connect()
    await bind(cluster, socket)

    await client.get('/logout')

    expect([stranger.disconnected, socket.disconnected]).toEqual([true, true])
  })
})
