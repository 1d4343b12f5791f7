import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { BenchRun, Cell } from '../../bench/results.js'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'dist/bench/main.js')
const CLI = join(ROOT, 'dist/src/cli/main.js')
/** A window this short measures nothing; everything around it is in earnest. */
const TINY = ['--window', '0.2', '--only', 'http-cost']

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'session-mesh-bench-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

interface Started {
  readonly child: ChildProcess
  readonly output: () => string
}

/** All processes of a run inherit the folder's name, by which they are found. */
function start(entry: string, ...args: readonly string[]): Started {
  const child = spawn(process.execPath, [entry, ...args, '--out', folder], {
    cwd: folder,
    env: { ...process.env, SESSION_MESH_BENCH_TEST: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => (text += bytes.toString()))
  return { child, output: () => text }
}

function written(): BenchRun {
  const [name = ''] = readdirSync(folder).filter((file) => file.endsWith('.json'))
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as BenchRun
}

/** Of this run, still alive. Linux only: elsewhere there is nothing to look at. */
function processesLeft(): readonly string[] {
  if (!existsSync('/proc/self/environ')) return []
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(join('/proc', pid, 'environ'), 'utf8').includes(folder)
    } catch {
      return false
    }
  })
}

/** Those with many sockets: the load, and the server that it is put on. */
function connected(): readonly string[] {
  return processesLeft().filter((pid) => readdirSync(join('/proc', pid, 'fd')).length > 30)
}

function cellOf({ cells }: BenchRun, variant: string, settings: Cell['settings']): Cell | undefined {
  return cells.find((cell) => cell.variant === variant && JSON.stringify(cell.settings) === JSON.stringify(settings))
}

describe('npm run bench', () => {
  test('measures real servers in interleaved rounds, and leaves a result that says what was measured', async () => {
    const backends = 'mesh-memory,mesh-async'
    const { child, output } = start(MAIN, ...TINY, '--rounds', '2', '--nodes', '2', '--backends', backends)
    const [code] = (await once(child, 'close')) as [number]

    expect(output()).toContain('4/4')
    expect(code, output()).toBe(0)
    const result = written()
    expect(result).toMatchObject({ format: 1, mode: 'standard', partial: false, seed: 1 })
    expect(result.machine.packages['express']).toMatch(/^5\./)
    expect(result.cells).toHaveLength(4 * 2)
    const cell = cellOf(result, 'mesh-async', { workload: 'W', nodes: 2 })
    expect(cell?.figures['cpuPerRequest']?.rounds).toHaveLength(2)
    expect(cell?.figures['cpuPerRequest']?.min).toBeGreaterThan(1)
    expect(cell?.figures['cpuRatioToUnconnected']).toMatchObject({ to: 'mesh-memory', unit: 'ratio' })
    expect(cell?.figures['cpuRatioToUnconnected']?.rounds).toHaveLength(2)
    expect(readdirSync(folder).filter((name) => /\.(?:html|md)$/.test(name))).toHaveLength(2)
    expect(processesLeft()).toEqual([])
  })

  test('writes down what it has when it is interrupted, says that it is partial, and ends its servers', async () => {
    const { child, output } = start(MAIN, ...TINY, '--backends', 'floor,mesh-redis', '--nodes', '1,3')
    await vi.waitFor(() => expect(output()).toContain('2/'), { timeout: 60_000 })

    child.kill('SIGINT')
    const [code] = (await once(child, 'close')) as [number]

    expect(code, output()).toBe(130)
    expect(written().partial).toBe(true)
    expect(written().cells.length).toBeGreaterThan(0)
    await vi.waitFor(() => expect(processesLeft()).toEqual([]), { timeout: 10_000 })
  })

  test.each([
    ['floor', 'its server', 2],
    ['es-connect-redis', 'its server, the redis-server and that one\'s guard', 4],
  ])('of %s, killed outright, leaves nothing behind: %s', async (backend, _, processes) => {
    const { child, output } = start(MAIN, ...TINY, '--backends', backend)
    const gone = once(child, 'close')
    await vi.waitFor(() => expect(output()).toContain('1/'), { timeout: 60_000 })
    await vi.waitFor(() => expect(processesLeft().length).toBeGreaterThanOrEqual(processes), { timeout: 60_000 })
    await vi.waitFor(() => expect(connected().length).toBeGreaterThanOrEqual(2), { timeout: 60_000 })

    child.kill('SIGKILL')
    await gone

    await vi.waitFor(() => expect(processesLeft()).toEqual([]), { timeout: 10_000 })
  })
})

describe('session-mesh bench', () => {
  test('is the same, from its help to its exit code', async () => {
    const { child, output } = start(CLI, 'bench', '--only', 'latncy')
    const [code] = (await once(child, 'close')) as [number]

    expect(code).toBe(64)
    expect(output()).toContain('did you mean latency?')
  })
})
