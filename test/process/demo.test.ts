import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))
const started: ChildProcess[] = []

beforeAll(() => {
  if (existsSync(main)) return
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], { cwd: root })
})

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

function demo(...flags: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [main, 'demo', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  return child
}

async function finished(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('the demo has no output')
  const [out, err] = await Promise.all([text(stdout), text(stderr)])
  return { code: await code, out, err }
}

interface Showing {
  readonly url: string
  readonly nodes: readonly { readonly name: string; readonly pid: number }[]
}

/** A demo that waits for a browser: where it answers, and its nodes. */
async function showing(child: ChildProcess): Promise<Showing> {
  let out = ''
  child.stdout?.on('data', (bytes: Buffer) => (out += String(bytes)))
  return await vi.waitFor(() => JSON.parse(out), { timeout: 20_000 })
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('npm start -- --check', () => {
  test('tells the whole story and exits 0', async () => {
    const { code, out, err } = await finished(demo('--check', '--sessions', '100', '--clicks', '10'))

    expect(err).toBe('')
    expect(code, out).toBe(0)
    expect(out).not.toContain('✗')
    expect(out).toContain('8 of 12 at the login page')
    expect(out).toContain('0 of 12 at the login page')
    expect(out).toMatch(/[1-9]\d* of 1,000 clicks at the login page/)
    expect(out.match(/ 0 of 1,000 clicks at the login page/g)).toHaveLength(2)
    expect(out).toContain('0 of 100 sessions lost')
    expect(out).toContain('100 of 100 served')
    expect(out).not.toContain('\u001B[')
  })

  test('gives the same as one JSON object', async () => {
    const flags = ['--check', '--json', '--sessions', '60', '--clicks', '10', '--concurrency', '20']
    const { code, out } = await finished(demo(...flags))

    expect(code, out).toBe(0)
    const result: unknown = JSON.parse(out)
    expect(result).toMatchObject({
      ok: true,
      sessions: 60,
      loop: { memory: { clicks: 12, loginRedirects: 8 }, mesh: { clicks: 12, loginRedirects: 0 } },
      load: { mesh: { clicks: 600, loginRedirects: 0, strangers: 0, staleCarts: 0, unanswered: 0 } },
      kill: {
        clicks: { clicks: 600, loginRedirects: 0, strangers: 0 },
        survivors: { lost: 0, freshLost: 0 },
        restarted: { served: 60 },
      },
    })
    expect(JSON.parse(out).load.memory.loginRedirects).toBeGreaterThan(0)
  })
})

describe('npm start', () => {
  test('serves the page, kills and starts nodes, and switches the store', async () => {
    const { url, nodes } = await showing(demo('--json'))
    const press = async (button: string): Promise<number> => {
      return (await fetch(`${url}/${button}`, { method: 'POST', headers: { 'X-Demo': '1' } })).status
    }
    const victim = nodes[1]

    const page = await (await fetch(url)).text()
    expect(page).toContain('Click 12 links')
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//)

    expect(await press('kill/b')).toBe(204)
    expect(victim && runs(victim.pid)).toBe(false)
    expect(await press('restart/b')).toBe(204)
    expect(await press('store/memory')).toBe(204)
    expect(await press('kill/z')).toBe(409)
    expect((await fetch(`${url}/kill/a`, { method: 'POST' })).status).toBe(405)
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('leaves no node behind after %s', async (signal) => {
    const child = demo('--json')
    const { nodes } = await showing(child)
    expect(nodes.map((node) => node.name)).toEqual(['a', 'b', 'c'])
    expect(nodes.every((node) => runs(node.pid))).toBe(true)

    child.kill(signal)

    const expected = signal === 'SIGKILL' ? 'SIGKILL' : 0
    await vi.waitFor(() => expect(nodes.filter((node) => runs(node.pid))).toEqual([]), { timeout: 5_000 })
    await vi.waitFor(() => expect(child.exitCode ?? child.signalCode).toBe(expected), { timeout: 5_000 })
  })
})

test('flags that make no sense are all named, and nothing is started', async () => {
  const { code, err } = await finished(demo('--nodes', '1', '--sessions', 'many', '--store', 'redis'))

  expect(code).toBe(64)
  for (const flag of ['--nodes', '--sessions', '--store']) expect(err).toContain(flag)
})
