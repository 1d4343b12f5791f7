import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GOALS } from '../../bench/goals.js'
import type { BenchRun, QuestionName } from '../../bench/results.js'

const MAIN = join(import.meta.dirname, '../../dist/bench/main.js')
/** Windows this short measure nothing; the processes, the links and the bytes are in earnest. */
const TINY = ['--quick', '--rounds', '1', '--window', '0.1', '--backends', 'mesh-async']

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'session-mesh-bench-nodes-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('what is asked of nodes', { timeout: 180_000 }, () => {
  test('replication is answered with every figure that a goal is about', async () => {
    const { cells } = await ask('replication')

    expect(missingIn(cells, 'replication')).toEqual([])
    const noticed = cells.find(({ figures }) => figures['noticedSilence'] !== undefined)
    expect(noticed?.figures['noticedSilence']?.median).toBeGreaterThan(2_000)
  })

  test('a change of 100 B crosses the wire with its value, however large the session', async () => {
    const { cells } = await ask('wire')

    expect(missingIn(cells, 'wire')).toEqual([])
    for (const { figures } of cells) {
      expect(figures['bytesPerChange']?.median).toBeGreaterThan(100)
      expect(figures['bytesPerChange']?.median).toBeLessThan(300)
    }
  })

  test('joining and memory hold as many sessions as they say', async () => {
    const { cells } = await ask('join', 'memory')

    expect(cells.flatMap(({ marks }) => marks).filter((mark) => mark === 'wrong' || mark === 'void')).toEqual([])
    const joined = cells.find(({ question }) => question === 'join')
    expect(joined?.settings).toEqual({ sessions: 10_000 })
    expect(joined?.figures['bytes']?.median).toBeGreaterThan(10_000 * 256)
    const kept = cells.filter(({ question }) => question === 'memory')
    expect(new Set(kept.map(({ settings }) => settings['shape']))).toEqual(new Set(['1KB', '256B']))
    for (const { figures } of kept) expect(figures['rssPerSession']?.median).toBeGreaterThan(256)
  })

  test('three nodes send a write to two others, and one alone to nobody', async () => {
    const { cells } = await ask('scale')
    const [alone, three] = [1, 3].map((nodes) => cells.find(({ settings }) => settings['nodes'] === nodes)?.figures)

    expect(alone?.['bytesPerWrite']?.median).toBe(0)
    expect(three?.['bytesPerWrite']?.median).toBeGreaterThan(2 * 100)
    expect(three?.['cpuPerWrite']?.median).toBeGreaterThan(0)
  })
})

async function ask(...questions: readonly QuestionName[]): Promise<BenchRun> {
  const args = [MAIN, ...TINY, '--only', questions.join(','), '--out', folder]
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()))
  const [code] = (await once(child, 'exit')) as [number | null]
  expect(code, errors).toBe(0)
  const [name = ''] = readdirSync(folder).filter((file) => file.endsWith('.json'))
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as BenchRun
}

/** Figures that goals name and no cell has; sizes apart, which a quick run leaves out. */
function missingIn(cells: BenchRun['cells'], question: QuestionName): readonly string[] {
  const wanted = GOALS.flatMap(({ proof }) => ('question' in proof && proof.question === question ? [proof] : []))
  return wanted
    .filter(({ variant, figure }) => !cells.some((cell) => cell.variant === variant && cell.figures[figure] !== undefined))
    .map(({ figure }) => figure)
}
