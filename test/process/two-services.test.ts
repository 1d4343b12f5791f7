/** examples/two-services as it is after an install: two processes, each with what its package.json names. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { freePorts } from '../support/members.js'
import { RedisServer } from '../support/redis.js'

const ROOT = join(import.meta.dirname, '..', '..')
const EXAMPLE = join(ROOT, 'examples', 'two-services')
const LIFETIME_S = 2_592_000

let copy: string

beforeAll(() => {
  const isBuilt = existsSync(join(ROOT, 'dist/src/index.js'))
  if (!isBuilt) throw new Error('the services run from dist: npm run build first')
  copy = mkdtempSync(join(tmpdir(), 'session-mesh-two-services-'))
  cpSync(EXAMPLE, copy, { recursive: true, filter: (file) => !file.endsWith('node_modules') })
  for (const service of ['a', 'b']) install(join(copy, service))
})

afterAll(() => rmSync(copy, { recursive: true, force: true }))

/** Links what the service depends on, and nothing else. */
function install(service: string): void {
  const { dependencies } = JSON.parse(readFileSync(join(service, 'package.json'), 'utf8'))
  mkdirSync(join(service, 'node_modules'))
  for (const name of Object.keys(dependencies)) {
    const installed = name === 'session-mesh' ? ROOT : join(ROOT, 'node_modules', name)
    symlinkSync(installed, join(service, 'node_modules', name), 'dir')
  }
}

interface Services {
  readonly a: string
  readonly b: string
}

/** Starts both; answers their addresses when they listen. They end with the test. */
async function start(environment: Readonly<Record<string, string>> = {}): Promise<Services> {
  const [a, b, gossipA, gossipB] = await freePorts(4)
  const gossip = { GOSSIP_A: `127.0.0.1:${gossipA}`, GOSSIP_B: `127.0.0.1:${gossipB}` }
  const { REDIS_URL: _, ...inherited } = process.env
  const env = { ...inherited, ...gossip, ...environment }
  const [urlOfA, urlOfB] = await Promise.all([
    listening(join(copy, 'a'), a ?? 0, env),
    listening(join(copy, 'b'), b ?? 0, env),
  ])
  return { a: urlOfA, b: urlOfB }
}

async function listening(folder: string, port: number, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, ['server.js'], { cwd: folder, env: { ...env, PORT: String(port) } })
  onTestFinished(() => leave(child))
  let said = ''
  child.stdout.on('data', (chunk) => (said += String(chunk)))
  child.stderr.on('data', (chunk) => (said += String(chunk)))
  const url = `http://127.0.0.1:${port}`
  const answers = async (): Promise<void> => {
    if (child.exitCode !== null) throw new Error(`the service ended (${child.exitCode}): ${said}`)
    await fetch(url)
  }
  await vi.waitFor(answers, { timeout: 20_000, interval: 50 })
  return url
}

/** Asks the process to leave, as a service manager does; it must. */
async function leave(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const patience = setTimeout(() => child.kill('SIGKILL'), 10_000)
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  clearTimeout(patience)
  expect(code, 'how the service left').toBe(0)
}

/** POSTs; `cookie` as a browser would send it next. */
async function post(url: string, cookie = ''): Promise<{ readonly body: unknown; readonly cookie: string }> {
  const response = await fetch(url, { method: 'POST', headers: { cookie } })
  expect(response.status).toBe(200)
  const set = response.headers.getSetCookie().map((line) => line.split(';', 1)[0])
  return { body: await response.json(), cookie: set.join('; ') }
}

/** What one service saved, the other reads at once with the same cookie; a stranger reads nothing. */
async function expectShared({ a, b }: Services): Promise<void> {
  for (let i = 0; i < 20; i++) {
    const { cookie } = await post(`${a}/session?name=Ada${i}`)
    expect((await post(`${b}/getSession`, cookie)).body).toEqual({ name: `Ada${i}` })
  }
  expect((await post(`${b}/getSession`)).body).toEqual({ name: null })
}

test('a session written by one service is read by the other: replicated', async () => {
  await expectShared(await start())
})

test('a session written by one service is read by the other: in Redis, for 30 days', async () => {
  const redis = await RedisServer.start()
  onTestFinished(() => redis.stop())
  const client = redis.client()
  onTestFinished(() => client.disconnect())
  const services = await start({ REDIS_URL: `redis://${redis.address}` })

  await post(`${services.a}/session?name=Grace`)
  const [key = '', ...others] = (await client.keys('*')).filter((name) => name.includes(':sessions:'))
  const lifetime = await client.pttl(key)

  expect(others).toEqual([])
  expect(Math.abs(lifetime / 1_000 - LIFETIME_S)).toBeLessThanOrEqual(1)
  await expectShared(services)
})
