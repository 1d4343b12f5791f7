import { request } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { adminKeys, signRequest, verifyAnswer } from '../../src/observe/admin-proof.js'
import { AdminServer, PROOF_HEADER, type MemberStatus } from '../../src/observe/admin-server.js'

const SECRET = 'b0Q1hZk6s2vYx8uJ3nWc7mEa5tRd9pLf'
const OLD_SECRET = 'Kf4Xq7Vw1zNs6Cj9Gt2By5Hu8Mp3Ld0R'
const NOW = 1_800_000_000_000
const NONCE = 'n'.repeat(24)

const status: MemberStatus = {
  service: 'session-mesh',
  version: '1.2.3',
  cluster: 'shop',
  node: 'a',
  backend: 'replicated',
  startedAt: NOW,
  sessions: 3,
  bytes: 400,
  ready: true,
  detail: 'ready',
  peers: [{ node: 'b', address: '127.0.0.1:1', state: 'up' }],
}

const opened: AdminServer[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map(async (server) => await server.close()))
})

async function open(secrets: readonly string[]): Promise<string> {
  const server = new AdminServer({ secrets, now: () => NOW, status: () => status, metrics: () => ({ up_total: 1 }) })
  opened.push(server)
  await server.open('127.0.0.1:0')
  return server.address
}

interface Reply {
  readonly status: number
  readonly body: string
  readonly proof: string | undefined
}

async function ask(address: string, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
  const [host = '', port = ''] = address.split(':')
  return await new Promise((resolve, reject) => {
    const call = request({ host, port: Number(port), path, method, agent: false, headers: { host: address, ...headers } })
    call.on('error', reject)
    call.on('response', (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      const proof = response.headers[PROOF_HEADER]
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, proof: proof?.toString() }))
    })
    call.end()
  })
}

const keyOf = (secret: string): Buffer => adminKeys([secret])[0] ?? Buffer.alloc(0)

const signed = (address: string, { secret = SECRET, at = NOW } = {}): Record<string, string> => {
  return { authorization: signRequest(keyOf(secret), address, at, NONCE) }
}

describe('/status', () => {
  test('is told to whoever proves the secret, with a proof of its own', async () => {
    const address = await open([SECRET])
    const reply = await ask(address, '/status', signed(address))

    expect(reply.status).toBe(200)
    expect(JSON.parse(reply.body)).toEqual(status)
    expect(verifyAnswer({ key: keyOf(SECRET), nonce: NONCE }, reply.body, reply.proof)).toBe(true)
    expect(verifyAnswer({ key: keyOf(SECRET), nonce: NONCE }, `${reply.body} `, reply.proof)).toBe(false)
    expect(verifyAnswer({ key: keyOf(SECRET), nonce: 'm'.repeat(24) }, reply.body, reply.proof)).toBe(false)
    expect(verifyAnswer({ key: keyOf(SECRET), nonce: NONCE }, reply.body, undefined)).toBe(false)
  })

  test('accepts any of the secrets while one is being replaced', async () => {
    const address = await open([SECRET, OLD_SECRET])

    expect((await ask(address, '/status', signed(address, { secret: OLD_SECRET }))).status).toBe(200)
  })

  test.each([
    ['no proof', () => ({})],
    ['another secret', (address: string) => signed(address, { secret: OLD_SECRET })],
    ['a proof made for another address', () => signed('127.0.0.1:1')],
    ['an old proof', (address: string) => signed(address, { at: NOW - 30_001 })],
    ['a proof of tomorrow', (address: string) => signed(address, { at: NOW + 30_001 })],
    ['a proof with another time', (address: string) => {
      return { authorization: signed(address).authorization?.replace(String(NOW), String(NOW + 1)) ?? '' }
    }],
    ['junk', () => ({ authorization: 'SessionMesh x.y.z' })],
  ])('tells nothing to %s', async (_what, headers) => {
    const address = await open([SECRET])
    const reply = await ask(address, '/status', headers(address))

    expect(reply.status).toBe(401)
    expect(reply.body).not.toContain('shop')
  })

  test('needs no proof where there is no secret', async () => {
    const address = await open([])

    expect(JSON.parse((await ask(address, '/status')).body)).toEqual(status)
  })
})

test('health and metrics need no proof', async () => {
  const address = await open([SECRET])

  expect((await ask(address, '/healthz')).status).toBe(200)
  expect((await ask(address, '/readyz?x=1')).status).toBe(200)
  expect((await ask(address, '/metrics')).body).toBe('# TYPE up_total counter\nup_total 1\n')
})

test('a page in a browser gets nothing, not even through a name of its own', async () => {
  const address = await open([])

  expect((await ask(address, '/metrics', { origin: 'http://127.0.0.1' })).status).toBe(403)
  expect((await ask(address, '/metrics', { host: 'rebound.example.com' })).status).toBe(403)
  expect((await ask(address, '/metrics', { host: 'localhost' })).status).toBe(200)
})

test('other methods and paths are refused', async () => {
  const address = await open([])

  expect((await ask(address, '/status', {}, 'POST')).status).toBe(405)
  expect((await ask(address, '/')).status).toBe(404)
})

test('it listens on loopback only, and says where it cannot', async () => {
  const server = new AdminServer({ secrets: [], now: () => NOW, status: () => status, metrics: () => ({}) })
  const address = await open([])

  await expect(server.open('0.0.0.0:0')).rejects.toThrow('admin.listen: 0.0.0.0:0 is not loopback')
  await expect(server.open(address)).rejects.toThrow(`admin.listen: cannot listen on ${address} (EADDRINUSE)`)
  await server.close()
})
