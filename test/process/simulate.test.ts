import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'dist/src/cli/main.js')

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'session-mesh-simulate-'))
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'], {
    cwd: ROOT,
  })
})

afterAll(() => rmSync(folder, { recursive: true }))

function simulate(...args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const { status, stdout } = spawnSync(process.execPath, [MAIN, 'simulate', '--minutes', '0.5', ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, stdout }
}

describe('session-mesh simulate', () => {
  test('prints what was simulated, and ends with 0', () => {
    const { status, stdout } = simulate('--seeds', '4', '--workers', '2')

    expect(status).toBe(0)
    expect(stdout).toMatch(/seeds 1 to 4, 5 nodes/)
    expect(stdout).toMatch(/4, 4 clean/)
    expect(stdout).toMatch(/x real time per core/)
  })

  test('goes on where its ledger ends, and adds up', () => {
    simulate('--seeds', '3', '--resume', 'ledger.jsonl')

    const { stdout } = simulate('--seeds', '2', '--resume', 'ledger.jsonl', '--json')

    expect(JSON.parse(stdout)).toMatchObject({ from: 4, totals: { seeds: 2 }, ledger: { seeds: 5, clean: 5 } })
    expect(readFileSync(join(folder, 'ledger.jsonl'), 'utf8').trim().split('\n')).toHaveLength(2)
  })
})
