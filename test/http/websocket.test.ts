import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type IncomingMessage } from 'node:http'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket, WebSocketServer, type RawData } from 'ws'
import type { SessionBackend } from '../../src/backend/backend.js'
import { NotReadyError, SessionGoneError } from '../../src/errors.js'
import { resolveSessionOptions, type SessionOptions } from '../../src/http/options.js'
import type { Session } from '../../src/http/handle/session-types.js'
import { encodeValue } from '../../src/session/value.js'
import { SocketBinder } from '../../src/http/sockets/socket-binder.js'
import { WebSockets, type WebSocketOptions } from '../../src/http/sockets/websocket.js'
import { bare, Client, held, json, Latch, mount, routes, until, type Mounted } from './support.js'

type Chat = Session<{ user: string; said: number }>

interface Chatroom extends Mounted {
  readonly client: Client
  readonly binder: SocketBinder
  readonly server: WebSocketServer
  /** What reached the application, in order. */
  readonly heard: string[]
  /** Opens a socket with the client's cookies. */
  connect(): Promise<Visitor>
}

/** The browser's end of one socket. */
class Visitor {
  readonly socket: WebSocket
  readonly replies: string[] = []
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data) => this.replies.push(textOf(data)))
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN
  }

  async say(text: string): Promise<string | undefined> {
    const before = this.replies.length
    this.socket.send(text)
    await until(() => expect(this.replies.length).toBeGreaterThan(before))
    return this.replies.at(-1)
  }
}

interface RoomOptions {
  readonly session?: SessionOptions
  readonly socket?: WebSocketOptions
  readonly wrap?: (backend: SessionBackend) => SessionBackend
}

/** A server with a login over HTTP, and a chat that says who speaks, and counts in the session how often. */
async function chatroom({ session = {}, socket = {}, wrap = (same) => same }: RoomOptions = {}): Promise<Chatroom> {
  const mounted = mount(session, wrap)
  const world = { now: mounted.clock.now, log: () => {} }
  const binder = new SocketBinder(mounted.backend, resolveSessionOptions(session), world)
  const sockets = new WebSockets(binder)
  const heard: string[] = []
  const http = createServer(
    bare(
      mounted.middleware,
      routes({
        '/login': async (req, res) => {
          req.session.user = 'ada'
          await req.session.rotate()
          res.end()
        },
        '/logout': async (req, res) => {
          await req.session.destroy()
          res.end()
        },
        '/': (req, res) => json(res, req.session.toObject()),
      }),
    ),
  )
  const server = new WebSocketServer({ server: http })
  server.on('connection', (ws) => {
    ws.on('message', (data) => {
      heard.push(textOf(data))
      speak(sockets, ws, textOf(data)).then(
        (reply) => ws.send(reply),
        (error: unknown) => ws.send(error instanceof SessionGoneError ? 'gone' : String(error)),
      )
    })
  })
  sockets.serve(server, socket)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const ws of server.clients) ws.terminate()
    server.close()
    http.closeAllConnections()
    http.close()
  })
  const client = new Client(http)
  return { ...mounted, client, binder, server, heard, connect: () => connect(client) }
}

async function speak(sockets: WebSockets, ws: WebSocket, text: string): Promise<string> {
  const session: Chat | undefined = await sockets.session(ws)
  if (session === undefined) return 'nobody'
  if (text === 'rotate') await session.rotate()
  if (text === 'leave') await session.destroy()
  session.said = (session.said ?? 0) + 1
  await session.commit()
  return `${session.user}: ${text}`
}

async function connect(client: Client): Promise<Visitor> {
  const cookie = [...client.jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const { port } = client.server.address() as AddressInfo
  const visitor = new Visitor(new WebSocket(`ws://127.0.0.1:${port}`, { headers: { cookie } }))
  await once(visitor.socket, 'open')
  return visitor
}

async function loggedIn(options?: RoomOptions): Promise<Chatroom> {
  const room = await chatroom(options)
  await room.client.get('/login')
  return room
}

describe('a WebSocket', () => {
  test('sees the session as it is, and what it commits is there for the next request', async () => {
    const room = await loggedIn()
    const visitor = await room.connect()

    expect(await visitor.say('hello')).toBe('ada: hello')
    expect(await visitor.say('again')).toBe('ada: again')

    expect(JSON.parse((await room.client.get()).body)).toEqual({ user: 'ada', said: 2 })
  })

  test('sees what a request has written since it was opened', async () => {
    const room = await loggedIn()
    const visitor = await room.connect()
    const { ref } = await sessionOf(room)
    await room.backend.save(ref, { writes: [{ name: 'user', kind: 0, value: encodeValue('bob', 'user') }] }, {})

    expect(await visitor.say('hello')).toBe('bob: hello')
  })

  test('stays open through a rotation, and goes on with the same session', async () => {
    const room = await loggedIn()
    const visitor = await room.connect()
    const before = room.client.jar.get('sid')

    await room.client.get('/login')

    expect(room.client.jar.get('sid')).not.toBe(before)
    expect(await visitor.say('still here')).toBe('ada: still here')
    expect(JSON.parse((await room.client.get()).body)).toMatchObject({ said: 1 })
  })

  test('is closed with 1008 when the session is destroyed', async () => {
    const room = await loggedIn()
    const visitors = [await room.connect(), await room.connect()]
    await Promise.all(visitors.map((visitor) => visitor.say('hello')))

    await room.client.get('/logout')

    for (const { closed } of visitors) expect(await closed).toEqual({ code: 1008, reason: 'session ended' })
    expect(room.binder.counters.session_mesh_http_sockets_ended_total).toBe(2)
    expect(room.binder.counters.session_mesh_http_sockets_bound).toBe(0)
  })

  test('is closed when everything of its principal is revoked, and told so', async () => {
    const room = await loggedIn()
    const visitor = await room.connect()
    await visitor.say('hello')
    await room.backend.save((await sessionOf(room)).ref, { writes: [], principal: 'ada' }, {})

    await room.backend.revoke('ada', {})

    expect(await visitor.closed).toEqual({ code: 1008, reason: 'logged out' })
  })

  test('tells the application nothing that was sent after the end', async () => {
    const room = await loggedIn()
    const visitor = await room.connect()
    await visitor.say('hello')

    // The close frame is on its way; the browser does not know of it yet.
    await room.backend.destroy((await sessionOf(room)).ref, 'destroyed', {})
    visitor.socket.send('too late')
    await visitor.closed
    await until(() => expect(room.server.clients.size).toBe(0))

    expect(room.heard).toEqual(['hello'])
  })

  test('may end the session itself', async () => {
    const room = await loggedIn()
    const visitor = await room.connect()

    visitor.socket.send('leave')

    expect(await visitor.closed).toMatchObject({ code: 1008 })
    expect(JSON.parse((await room.client.get()).body)).toEqual({})
  })

  test('cannot give the browser a new id', async () => {
    const room = await loggedIn()
    const visitor = await room.connect()

    expect(await visitor.say('rotate')).toMatch(/cannot get a new id through a socket/)
  })
})

describe('traffic', () => {
  const TTL = 60_000
  const session = { ttl: TTL, touchAfter: 10_000 }

  test('keeps the session alive, with one touch per touchAfter', async () => {
    const room = await loggedIn({ session })
    const touch = vi.spyOn(room.backend, 'touch')
    const visitor = await listenOnly(room)
    const startedAt = room.clock.time
    for (let second = 1; second <= 200; second++) {
      room.clock.time += 1_000
      visitor.socket.send('nothing')
      await until(() => expect(room.heard).toHaveLength(second))
    }

    expect(visitor.isOpen).toBe(true)
    expect(room.clock.time - startedAt).toBeGreaterThan(3 * TTL)
    expect(touch).toHaveBeenCalledTimes(20)
  })

  test('that came before the next touch was due is told of when it is', async () => {
    const room = await loggedIn({ session })
    const visitor = await listenOnly(room)
    room.clock.time += 5_000
    visitor.socket.send('quiet from now on')
    await until(() => expect(room.heard).toHaveLength(1))
    expect((await sessionOf(room)).idleMs).toBe(5_000)

    room.clock.time += 7_000

    await vi.waitFor(async () => expect((await sessionOf(room)).idleMs).toBe(7_000))
  })

  test('is told of when the last socket leaves', async () => {
    const room = await loggedIn({ session })
    const visitor = await listenOnly(room)
    room.clock.time += 5_000
    visitor.socket.send('bye')
    visitor.socket.close()

    await vi.waitFor(async () => expect((await sessionOf(room)).idleMs).toBe(0))
  })

  test('is not what the browser answers to pings, unless that is asked for', async () => {
    for (const [touchOnPong, alive] of [[false, 0], [true, 1]] as const) {
      const room = await loggedIn({ session, socket: { touchOnPong } })
      await room.connect()
      room.clock.time += 40_000
      for (const ws of room.server.clients) {
        ws.ping()
        await once(ws, 'pong')
      }
      room.clock.time += 40_000
      await until(() => expect(room.server.clients.size).toBe(alive))
    }
  })

  test('that comes too late does not bring the session back', async () => {
    const room = await loggedIn({ session })
    const visitor = await listenOnly(room)
    const touch = vi.spyOn(room.backend, 'touch')
    room.clock.time += TTL

    visitor.socket.send('am I late?')

    expect(await visitor.closed).toEqual({ code: 1008, reason: 'session expired' })
    expect(touch).not.toHaveBeenCalled()
  })

  test('on another node counts, though this node hears of it after the time is over', async () => {
    const room = await loggedIn({ session, wrap: withPowers({ events: 'cluster' }) })
    const visitor = await listenOnly(room)
    const read = room.backend.read.bind(room.backend)
    const looks: number[] = []
    vi.spyOn(room.backend, 'read').mockImplementation((ref) => {
      looks.push(room.clock.time)
      return looks.length === 1 ? undefined : read(ref)
    })
    room.clock.time += TTL - 1
    await room.client.get()
    room.clock.time += 2

    await until(() => expect(looks.length).toBe(1))
    room.clock.time += 500

    await until(() => expect(looks.length).toBe(2))
    expect(visitor.isOpen).toBe(true)
  })

  test('ends, and the session with it: the socket is closed', async () => {
    const room = await loggedIn({ session })
    const visitor = await room.connect()
    await visitor.say('hello')

    room.clock.time += TTL

    expect(await visitor.closed).toEqual({ code: 1008, reason: 'session expired' })
  })

  test('closes sockets in time where the backend has no events', async () => {
    const wrap = withPowers({ events: false })
    const room = await loggedIn({ wrap })
    const visitor = await room.connect()

    await room.client.get('/logout')
    room.clock.time += 1_000

    expect(await visitor.closed).toEqual({ code: 1008, reason: 'session ended' })
  })
})

describe('a connection', () => {
  test('without a session is closed with 1008, and nothing of it reaches the application', async () => {
    const room = await chatroom()
    const visitor = await room.connect()
    visitor.socket.send('let me in')

    expect(await visitor.closed).toEqual({ code: 1008, reason: 'no session' })
    expect(room.heard).toEqual([])
  })

  test('without a session may be allowed', async () => {
    const room = await chatroom({ socket: { anonymous: 'allow' } })

    expect(await (await room.connect()).say('hello')).toBe('nobody')
  })

  test('with an id that was rotated away has no session', async () => {
    const room = await loggedIn()
    const old = new Map(room.client.jar)
    await room.client.get('/login')
    room.client.jar.clear()
    for (const [name, value] of old) room.client.jar.set(name, value)

    expect(await (await room.connect()).closed).toEqual({ code: 1008, reason: 'no session' })
  })

  test('waits for a slow backend: what is sent meanwhile is held', async () => {
    const latch = new Latch()
    latch.open()
    const room = await loggedIn({ wrap: (backend) => held(backend, ['load'], latch) })
    latch.close()
    const visitor = await room.connect()
    visitor.socket.send('early')
    await until(() => expect(latch.waiting).toBe(1))

    latch.open()

    await until(() => expect(visitor.replies).toEqual(['ada: early']))
  })

  test('is told to come back where the node cannot tell yet', async () => {
    const latch = new Latch()
    latch.open()
    const room = await loggedIn({ wrap: (backend) => held(backend, ['load'], latch) })
    latch.close()
    const visitor = await room.connect()
    visitor.socket.send('early')
    // By the time of these answers, what was sent before them has arrived.
    for (let i = 0; i < 3; i++) await room.client.other().get()

    latch.fail(new NotReadyError('joining', 1_000))

    expect(await visitor.closed).toMatchObject({ code: 1013 })
    expect(room.heard).toEqual([])
  })

  test('to a session that ended while it was looked up is closed', async () => {
    const latch = new Latch()
    latch.open()
    const room = await loggedIn({ wrap: (backend) => held(backend, ['read'], latch) })
    latch.close()
    room.backend.subscribe = () => () => {}
    const visitor = await room.connect()
    await until(() => expect(latch.waiting).toBe(1))

    await room.client.get('/logout')
    latch.open()

    expect(await visitor.closed).toMatchObject({ code: 1008 })
  })

  test('beyond the limit of its session is refused; the others stay', async () => {
    const room = await loggedIn({ socket: { perSession: 2 } })
    const [first, second] = [await room.connect(), await room.connect()]
    await Promise.all([first.say('one'), second.say('two')])

    const third = await room.connect()

    expect(await third.closed).toEqual({ code: 1008, reason: 'too many connections of this session' })
    expect(await first.say('still here')).toBe('ada: still here')
    first.socket.close()
    await first.closed
    await until(() => expect(room.binder.counters.session_mesh_http_sockets_bound).toBe(1))
    expect(await (await room.connect()).say('there is room again')).toContain('ada')
  })

  test('leaves nothing behind: 1,000 of them come and go', async () => {
    const room = await loggedIn({ socket: { perSession: 1_000 } })
    let subscriptions = 0
    const subscribe = room.backend.subscribe.bind(room.backend)
    room.backend.subscribe = (listener) => {
      subscriptions++
      const stop = subscribe(listener)
      return () => {
        subscriptions--
        stop()
      }
    }
    const gone: WebSocket[] = []
    room.server.on('connection', (ws) => gone.push(ws))
    for (let batch = 0; batch < 10; batch++) {
      const visitors = await Promise.all(Array.from({ length: 100 }, () => room.connect()))
      expect(subscriptions).toBe(1)
      for (const { socket } of visitors) socket.close()
      await Promise.all(visitors.map(({ closed }) => closed))
    }
    await until(() => expect(room.server.clients.size).toBe(0))

    expect(gone).toHaveLength(1_000)
    expect(room.binder.counters).toMatchObject({
      session_mesh_http_sockets_bound: 0,
      session_mesh_http_sockets_bound_total: 1_000,
    })
    expect(subscriptions).toBe(0)
    for (const ws of gone) expect(ws.listenerCount('message')).toBe(1)
  })
})

function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : ''
}

/** A backend that says of itself that it has other powers, and without events tells none. */
function withPowers(powers: Partial<SessionBackend['powers']>): (backend: SessionBackend) => SessionBackend {
  return (backend) =>
    new Proxy(backend, {
      get(target, name) {
        if (name === 'powers') return { ...target.powers, ...powers }
        if (name === 'subscribe' && powers.events === false) return () => () => {}
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
}

/** The one session of the room, in the backend's words. */
async function sessionOf(room: Chatroom): Promise<{ ref: { actor: number; counter: number }; idleMs: number }> {
  const answer = await room.backend.load(room.client.jar.get('sid') ?? '', undefined, { deadline: room.clock.time + 1_000 })
  if (answer.state !== 'found') throw new Error(answer.state)
  return { ref: answer.ref, idleMs: room.clock.time - answer.session.lastAccessedAt }
}

/** A socket whose application does not look at the session, so that only the binding keeps it alive. */
async function listenOnly(room: Chatroom): Promise<Visitor> {
  room.server.removeAllListeners('connection')
  new WebSockets(room.binder).serve(room.server)
  room.server.on('connection', (ws, _req: IncomingMessage) => {
    ws.on('message', (data) => room.heard.push(textOf(data)))
  })
  return await room.connect()
}
