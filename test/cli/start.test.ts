import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { freePort } from '../free-port.js'
import { FakeIo } from './fake-io.js'

const SECRET = 'b0Q1hZk6s2vYx8uJ3nWc7mEa5tRd9pLf'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'session-mesh-start-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function configure(name: string, more: string): string {
  const text = `export default { name: 'shop', secret: '${SECRET}', log: () => {}, ${more} }`
  writeFileSync(join(folder, name), text)
  return name
}

async function runUntil(io: FakeIo, text: string, ...args: readonly string[]): Promise<{ ended: Promise<number> }> {
  const ended = io.run('start', ...args)
  await vi.waitFor(() => expect(io.out).toContain(text), { timeout: 5_000 })
  return { ended }
}

test.each(['SIGTERM', 'SIGINT'] as const)('a member is ready, answers status, and drains on %s', async (signal) => {
  const admin = `127.0.0.1:${await freePort()}`
  const config = configure('member.mjs', `node: { id: 'a', listen: '127.0.0.1:0' }, admin: { listen: '${admin}' }`)
  const io = new FakeIo(folder)
  const { ended } = await runUntil(io, 'ready', '--config', config)
  const asking = new FakeIo(folder)

  expect(await asking.run('status', '--config', config, '--json')).toBe(0)
  expect(JSON.parse(asking.out)).toMatchObject({ node: 'a', cluster: 'shop', ready: true, sessions: 0, peers: [] })
  io.signal(signal)

  expect(await ended).toBe(0)
  expect(io.out).toMatch(new RegExp(`node a of shop started.*\nready .*\n${signal}: draining .*\nstopped .*\n$`))
  expect(io.err).toBe('')
  expect(io.listening).toBe(0)
})

test('the second SIGINT ends the process at once (L8)', async () => {
  const config = configure('twice.mjs', "node: { id: 'a', listen: '127.0.0.1:0' }")
  const io = new FakeIo(folder)
  const { ended } = await runUntil(io, 'ready', '--config', config)

  io.signal('SIGINT')
  expect(io.exit).not.toHaveBeenCalled()
  io.signal('SIGINT')

  expect(io.exit).toHaveBeenCalledExactlyOnceWith(130)
  await ended
})

test('a signal ends a join that still waits for its peers', async () => {
  const peer = `127.0.0.1:${await freePort()}`
  const backend = "backend: { type: 'replicated', bootstrapTimeout: '10m' }"
  const config = configure('joining.mjs', `node: { id: 'a', listen: '127.0.0.1:0' }, peers: ['${peer}'], ${backend}`)
  const io = new FakeIo(folder)
  const { ended } = await runUntil(io, 'started', '--config', config, '--json')

  io.signal('SIGTERM')

  expect(await ended).toBe(0)
  const events = io.out.trimEnd().split('\n').map((line) => (JSON.parse(line) as { event: string }).event)
  expect(events).toEqual(['started', 'draining', 'stopped'])
})

test('two members started by their flags find each other', async () => {
  const [a, b] = [await freePort(), await freePort()]
  const config = configure('pair.mjs', `peers: ['127.0.0.1:${a}', '127.0.0.1:${b}']`)
  const start = async (io: FakeIo, node: string, port: number): Promise<{ ended: Promise<number> }> => {
    return await runUntil(io, 'started', '--config', config, '--node', node, '--listen', `127.0.0.1:${port}`, '--json')
  }
  const first = new FakeIo(folder)
  const second = new FakeIo(folder)
  const [runningFirst, runningSecond] = await Promise.all([start(first, 'a', a), start(second, 'b', b)])

  await vi.waitFor(() => {
    expect(first.out).toMatch(/"event":"ready".*"node":"b".*"state":"up"/)
    expect(second.out).toMatch(/"event":"ready".*"node":"a".*"state":"up"/)
  }, { timeout: 5_000 })
  first.signal('SIGTERM')
  second.signal('SIGTERM')

  expect(await Promise.all([runningFirst.ended, runningSecond.ended])).toEqual([0, 0])
})

test('C4: a port that is in use is named, and exits 78', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const config = configure('taken.mjs', `node: { listen: '127.0.0.1:${port}' }`)
  const io = new FakeIo(folder)

  expect(await io.run('start', '--config', config)).toBe(78)
  expect(io.err).toContain(`node.listen: cannot listen on 127.0.0.1:${port}`)
  expect(io.listening).toBe(0)
  server.close()
})
