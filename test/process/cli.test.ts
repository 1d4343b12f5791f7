import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'dist/src/cli/main.js')

let folder = ''
const children: ChildProcess[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'session-mesh-process-'))
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'], { cwd: ROOT })
})
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')))
afterAll(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)

function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: 'utf8', timeout: 20_000 })
}

test('a configuration with five mistakes prints five clear lines and exits 78 without opening a port', async () => {
  // The port is taken: whoever tried to listen on it would fail with another code.
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  write(
    'five.ts',
    `export default {
      name: 'shop',
      node: { id: 'a', listen: '127.0.0.1:${port}' },
      peers: ['http://127.0.0.1:7947'],
      secret: 'too short to be one',
      backend: { type: 'redsi' },
      session: { ttl: '1 hour' },
      replcas: 3,
    }`,
  )

  const { status, stdout, stderr } = run('start', '--config', 'five.ts')
  server.close()
  const [head, ...lines] = stderr.trimEnd().split('\n')

  expect([status, stdout]).toEqual([78, ''])
  expect(head).toBe(`session-mesh: ${join(folder, 'five.ts')}: 5 problem(s)`)
  expect(lines.map((line) => line.trim().split(':')[0])).toEqual(
    ['peers[0]', 'secret', 'backend.type', 'session.ttl', 'replcas'],
  )
  expect(stderr).not.toContain('too short to be one')
})

test('a syntax error in a plain module is told with its line', () => {
  write('broken.mjs', 'export default {\n  name: ,\n}\n')

  expect(run('check', '--config', 'broken.mjs')).toMatchObject({
    status: 78,
    stderr: expect.stringMatching(/broken\.mjs:2: .*Unexpected token/),
  })
})

test('the example configuration of this repository is valid', () => {
  const { status, stdout } = run('check', '--config', join(ROOT, 'cluster.config.ts'))

  expect([status, stdout]).toEqual([0, expect.stringContaining('127.0.0.1:7947, 127.0.0.1:7948')])
})

test('a reader that goes away is no failure (L7)', () => {
  const command = `"${process.execPath}" "${MAIN}" check --config "${join(ROOT, 'cluster.config.ts')}"`
  const { stderr, stdout } = spawnSync('sh', ['-c', `{ ${command}; echo "exit $?" >&2; } | :`], { encoding: 'utf8' })

  expect([stdout, stderr]).toEqual(['', 'exit 0\n'])
})

test('a member starts, becomes ready, and drains on SIGTERM', async () => {
  write('member.mjs', "export default { name: 'shop', node: { id: 'a', listen: '127.0.0.1:0' }, log: () => {} }")
  const child = spawn(process.execPath, [MAIN, 'start', '--config', 'member.mjs'], { cwd: folder })
  children.push(child)
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
  const ended = new Promise((resolve) => child.on('exit', resolve))

  await vi.waitFor(() => expect(out).toContain('ready'), { timeout: 10_000 })
  child.kill('SIGTERM')

  expect(await ended).toBe(0)
  expect(out).toMatch(/started.*\nready.*\nSIGTERM: draining.*\nstopped/)
})

test('require() of the package works', () => {
  const script = "const m = require('session-mesh'); console.log(typeof m.createCluster, typeof m.defineConfig)"
  const { status, stdout } = spawnSync(process.execPath, ['-e', script], { cwd: ROOT, encoding: 'utf8' })

  expect([status, stdout]).toEqual([0, 'function function\n'])
})
