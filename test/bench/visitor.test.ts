import { describe, expect, test } from 'vitest'
import type { Reply, Server } from '../../bench/load/http.js'
import { Visitor, type Outcome } from '../../bench/load/visitor.js'
import { textOf } from '../../bench/servers/text.js'

const SHAPE = { attributes: 2, bytes: 10 }

/** Answers what it is told to, and remembers what it was asked. */
class FakeServer implements Server {
  readonly asked: { readonly path: string; readonly cookie: string }[] = []
  next: Partial<Reply> | Error = {}

  async ask(_: string, path: string, cookie: string): Promise<Reply> {
    this.asked.push({ path, cookie })
    if (this.next instanceof Error) throw this.next
    return { status: 200, body: '', cookies: [], ...this.next }
  }
}

/** A visitor who has written version 1 into its first attribute. */
async function visitorWhoWrote(server: FakeServer, withStamps = true): Promise<Visitor> {
  const visitor = new Visitor(SHAPE, withStamps)
  server.next = { body: textOf(0, 10), cookies: ['sid=1; Path=/', 'sid.v0=stamp; Path=/'] }
  expect(await visitor.create(server)).toBe('right')
  server.next = { body: textOf(1, 10) }
  expect(await visitor.write(server, 0)).toBe('right')
  return visitor
}

describe('a visitor', () => {
  test.each<readonly [outcome: Outcome, what: string, reply: Partial<Reply> | Error]>([
    ['right', 'the last acknowledged value', { body: textOf(1, 10) }],
    ['stale', 'an older value', { body: textOf(0, 10) }],
    ['wrong', 'a value that was not written yet', { body: textOf(2, 10) }],
    ['wrong', 'half a value', { body: '0' }],
    ['wrong', 'no value', { body: '' }],
    ['failed', 'an error', { status: 500, body: textOf(1, 10) }],
    ['failed', 'no answer', new Error('reset')],
  ])('calls it %s when it reads %s', async (outcome, _, reply) => {
    const server = new FakeServer()
    const visitor = await visitorWhoWrote(server)

    server.next = reply

    expect(await visitor.read(server, 0)).toBe(outcome)
  })

  test.each<readonly [string, Partial<Reply> | Error]>([
    ['refused', { status: 503 }],
    ['not answered', new Error('reset')],
  ])('does not know whether a write that was %s was done, until it has read it', async (_, reply) => {
    const server = new FakeServer()
    const visitor = await visitorWhoWrote(server)
    const read = async (version: number): Promise<Outcome> => {
      server.next = { body: textOf(version, 10) }
      return await visitor.read(server, 0)
    }
    server.next = reply
    expect(await visitor.write(server, 0)).toBe('failed')

    expect(await read(1)).toBe('right')
    expect(await read(3)).toBe('wrong')
    expect(await read(2)).toBe('right')
    expect(await read(1)).toBe('stale')
  })

  test('sends its cookies back, and forgets those that ended', async () => {
    const server = new FakeServer()
    const visitor = await visitorWhoWrote(server)

    server.next = { body: textOf(1, 10), cookies: ['sid.v0=; Max-Age=0'] }
    await visitor.read(server, 0)
    await visitor.read(server, 0)

    expect(server.asked.map(({ cookie }) => cookie)).toEqual(['', 'sid=1; sid.v0=stamp', 'sid=1; sid.v0=stamp', 'sid=1'])
  })

  test('without stamps keeps the id of its session alone', async () => {
    const server = new FakeServer()
    await visitorWhoWrote(server, false)

    expect(server.asked.at(-1)?.cookie).toBe('sid=1')
  })

  test('that got a session without a cookie has none', async () => {
    const server = new FakeServer()
    server.next = { body: textOf(0, 10) }

    expect(await new Visitor(SHAPE).create(server)).toBe('wrong')
  })
})
