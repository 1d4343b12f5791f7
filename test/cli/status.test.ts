import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { AdminServer, type MemberStatus } from '../../src/observe/admin-server.js'
import { FakeIo } from './fake-io.js'

const SECRET = 'b0Q1hZk6s2vYx8uJ3nWc7mEa5tRd9pLf'
const OTHER_SECRET = 'Kf4Xq7Vw1zNs6Cj9Gt2By5Hu8Mp3Ld0R'

const member: MemberStatus = {
  service: 'session-mesh',
  version: '1.2.3',
  cluster: 'shop',
  node: 'a',
  backend: 'replicated',
  startedAt: Date.now() - 90_000,
  sessions: 3,
  bytes: 400,
  ready: true,
  detail: 'ready',
  peers: [
    { node: 'b', address: '127.0.0.1:2', state: 'up' },
    { node: 'c', address: '127.0.0.1:3', state: 'down', detail: 'no answer' },
  ],
}

let folder = ''
const servers: { close(): unknown }[] = []
const sockets: Socket[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'session-mesh-status-'))
  const config = (secret: string): string => `export default { name: 'shop', ${secret} }`
  writeFileSync(join(folder, 'cluster.config.mjs'), config(`secret: '${SECRET}'`))
  writeFileSync(join(folder, 'other.mjs'), config(`secret: '${OTHER_SECRET}'`))
  writeFileSync(join(folder, 'rotating.mjs'), config(`secret: ['${SECRET}', '${OTHER_SECRET}']`))
  writeFileSync(join(folder, 'open.mjs'), config(''))
})
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(async () => {
  sockets.splice(0).forEach((socket) => socket.destroy())
  await Promise.all(servers.splice(0).map(async (server) => await server.close()))
})

async function openMember(...secrets: readonly string[]): Promise<string> {
  const server = new AdminServer({ secrets, now: Date.now, status: () => member, metrics: () => ({}) })
  servers.push(server)
  await server.open('127.0.0.1:0')
  return server.address
}

async function listen(server: Server): Promise<string> {
  servers.push(server)
  server.on('connection', (socket: Socket) => sockets.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const serve = async (answer: RequestListener): Promise<string> => await listen(createHttpServer(answer))

async function status(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const io = new FakeIo(folder)
  const code = await io.run('status', ...args)
  return { code, out: io.out, err: io.err }
}

test('a member tells its state and its peers', async () => {
  const { code, out, err } = await status(await openMember(SECRET))

  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^a of shop: ready\n/)
  expect(out).toMatch(/sessions +3 \(400 bytes\)/)
  expect(out).toMatch(/peer +c +127\.0\.0\.1:3 +down +no answer/)
})

test('--json tells the same as one object', async () => {
  const { out } = await status(await openMember(SECRET), '--json')

  expect(JSON.parse(out)).toEqual(member)
})

test('the address stands in the configuration', async () => {
  const address = await openMember()
  writeFileSync(join(folder, 'admin.mjs'), `export default { name: 'shop', admin: { listen: '${address}' } }`)

  expect((await status('--config', 'admin.mjs')).code).toBe(0)
})

test('a member that knows the second of our secrets is asked with the first', async () => {
  expect((await status(await openMember(OTHER_SECRET, SECRET), '--config', 'rotating.mjs')).code).toBe(0)
})

test.each([
  ['another secret', [SECRET], 'other.mjs'],
  ['none where there is one', [SECRET], 'open.mjs'],
  ['one where there is none', [], 'cluster.config.mjs'],
])('L5: %s exits 77', async (_what, secrets, config) => {
  const address = await openMember(...secrets)
  const { code, out, err } = await status(address, '--config', config)

  expect([code, out]).toEqual([77, ''])
  expect(err).toBe(`session-mesh: ${address} is a member with another secret than this configuration's\n`)
})

test('L5: an answer without the proof of the secret is not believed', async () => {
  const address = await serve((_req, res) => res.end(JSON.stringify(member)))

  expect((await status(address)).code).toBe(77)
})

test('L4: where nothing listens, it exits 69', async () => {
  const server = createServer()
  const address = await listen(server)
  await new Promise((resolve) => server.close(resolve))

  expect(await status(address)).toMatchObject({ code: 69, err: expect.stringContaining('nothing listens there') })
})

test.each<readonly [what: string, open: () => Promise<string>, message: string]>([
  ['a web server', () => serve((_req, res) => res.end('hello')), 'no member of a session-mesh cluster'],
  ['a web server that refuses', () => serve((_req, res) => res.writeHead(404).end()), 'no member of a session-mesh cluster'],
  ['the port where peers talk', () => serve((_req, res) => res.writeHead(426).end()), 'ask its admin.listen'],
  ['another protocol', () => listen(createServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'))), 'no HTTP there'],
  ['a port that hangs up', () => listen(createServer((socket) => socket.destroy())), 'no HTTP there'],
  ['a silent port', () => listen(createServer()), 'did not answer within 2500 ms'],
])('L4: %s exits 69 within 3 s and says so', async (_what, open, message) => {
  const startedAt = Date.now()
  const { code, out, err } = await status(await open())

  expect([code, out]).toEqual([69, ''])
  expect(err).toContain(message)
  expect(Date.now() - startedAt).toBeLessThan(3_000)
})

test.each([
  [[], 'no address given'],
  [['nowhere'], 'nowhere is not an address'],
  [['10.0.0.1:80'], 'not loopback'],
])('%j exits 64', async (args, message) => {
  expect(await status(...args)).toMatchObject({ code: 64, err: expect.stringContaining(message) })
})
