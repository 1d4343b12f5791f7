import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freePorts } from '../../../src/cli/demo/ports.js'
import { RoundRobinProxy, type Target } from '../../../src/cli/demo/proxy.js'

let now = 0
let targets: Target[] = []
let servers: Server[] = []
let proxy: RoundRobinProxy
let url = ''

beforeEach(async () => {
  now = 1_000
  targets = []
  servers = []
  const options = { targets: () => targets, now: () => now, control: () => false, answered: () => {} }
  proxy = new RoundRobinProxy(options)
  url = `http://127.0.0.1:${await proxy.open(0)}`
})

afterEach(async () => {
  await proxy.close()
  for (const server of servers) server.closeAllConnections()
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
})

/** A node that answers with its name unless told otherwise. */
async function node(name: string, listener: RequestListener = (_, res) => res.end(name)): Promise<void> {
  const server = createServer(listener)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  targets.push({ name, port: address.port })
  servers.push(server)
}

/** A node that is not there. */
async function deadNode(name: string): Promise<void> {
  const [port = 0] = await freePorts(1)
  targets.push({ name, port })
}

const get = async (): Promise<string> => await (await fetch(url)).text()

describe('the round robin', () => {
  test('gives each request to the next node', async () => {
    await node('a')
    await node('b')
    await node('c')

    const answers = [await get(), await get(), await get(), await get()]

    expect(answers).toEqual(['a', 'b', 'c', 'a'])
  })

  test('goes on from the node whose turn it was made', async () => {
    await node('a')
    await node('b')
    await node('c')

    proxy.turnTo('c')

    expect([await get(), await get()]).toEqual(['c', 'a'])
  })

  test('passes over a dead node for a while, then tries it again', async () => {
    await node('a')
    await deadNode('b')
    await node('c')

    expect([await get(), await get(), await get()]).toEqual(['a', 'c', 'a'])
    expect(await get()).toBe('c')
    targets[1] = { name: 'b', port: targets[0]?.port ?? 0 } // back, and answering as "a" does
    expect([await get(), await get()]).toEqual(['a', 'c'])
    now += 1_000
    expect([await get(), await get(), await get()]).toEqual(['a', 'a', 'c'])
  })

  test('answers 502 when no node is there', async () => {
    await deadNode('a')
    await deadNode('b')

    expect((await fetch(url)).status).toBe(502)
  })
})

describe('a request is sent a second time', () => {
  test('when the connection was refused, a POST with its whole body', async () => {
    await deadNode('a')
    await node('b', (req, res) => void text(req).then((body) => res.end(`b got ${body}`)))

    const answer = await fetch(url, { method: 'POST', body: 'x'.repeat(100_000) })

    expect(await answer.text()).toBe(`b got ${'x'.repeat(100_000)}`)
  })

  test('when it was a GET and the node ended before it answered', async () => {
    await node('a', (req) => req.socket.destroy())
    await node('b')

    expect(await get()).toBe('b')
  })

  test('but never when a POST has left and got no answer', async () => {
    let posts = 0
    await node('a', (req) => void text(req).then(() => req.socket.destroy()))
    await node('b', (_, res) => res.end(`${++posts}`))

    const answer = await fetch(url, { method: 'POST', body: 'order' })

    expect(answer.status).toBe(502)
    expect(posts).toBe(0)
  })

  test('but never when an answer has begun', async () => {
    await node('a', (_, res) => {
      res.writeHead(200, { 'Content-Length': 10 })
      res.write('half', () => res.destroy())
    })
    await node('b')

    const answer = await fetch(url)

    await expect(answer.text()).rejects.toThrow()
  })
})

describe('what passes through', () => {
  test('streams: the first part arrives before the last is made', async () => {
    const answers: ServerResponse[] = []
    await node('a', (_, res) => {
      answers.push(res)
      res.write('first ')
    })

    const { body } = await fetch(url)
    const received: string[] = []
    for await (const part of body ?? []) {
      received.push(Buffer.from(part).toString())
      answers[0]?.end('last') // made only now that the first part has arrived
    }

    expect(received).toEqual(['first ', 'last'])
  })

  test('keeps two cookies two, and tells the node whom it answers', async () => {
    await node('a', (req, res) => {
      res.setHeader('Set-Cookie', ['sid=1; HttpOnly', 'sid.v0=2; HttpOnly'])
      const { host, 'x-forwarded-for': client, 'x-forwarded-proto': protocol } = req.headers
      res.end([host, client, protocol].join(' '))
    })

    const answer = await fetch(url)

    expect(answer.headers.getSetCookie()).toEqual(['sid=1; HttpOnly', 'sid.v0=2; HttpOnly'])
    expect(await answer.text()).toBe(`${new URL(url).host} 127.0.0.1 http`)
  })
})
