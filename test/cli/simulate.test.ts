import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Ledger, type Batch } from '../../src/cli/simulate/ledger.js'
import { simulateOptions } from '../../src/cli/simulate/options.js'
import { NO_SEEDS } from '../../src/simulator/report.js'

describe('the flags of simulate', () => {
  test('have defaults', () => {
    const defaults = {
      nodes: 5,
      minutes: 10,
      stamps: true,
      workers: 4,
      json: false,
      from: undefined,
      seeds: 20,
      resume: undefined,
    }

    expect(simulateOptions({}, 4)).toEqual(defaults)
  })

  test('take one seed, or a range', () => {
    expect(simulateOptions({ seed: 7 }, 1)).toMatchObject({ from: 7, seeds: 1 })
    expect(simulateOptions({ seeds: 500, from: 20 }, 1)).toMatchObject({ from: 20, seeds: 500 })
  })

  test('are all told when they make no sense', () => {
    const wrong = (): unknown => simulateOptions({ seed: 1, seeds: 'x', stamps: 'maybe', nodes: 1 }, 1)

    expect(wrong).toThrow(/--stamps.*--seed and --seeds.*--nodes/)
  })

  test('name a ledger, or the usual one', () => {
    expect(simulateOptions({ resume: true }, 1).resume).toBe('bench/results/simulation.jsonl')
    expect(simulateOptions({ resume: 'mine.jsonl' }, 1).resume).toBe('mine.jsonl')
  })
})

describe('the ledger of simulations', () => {
  const settings = { nodes: 5, minutes: 10, stamps: true }
  let folder = ''

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledger-'))
  })

  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  function batch(from: number, to: number, change: Partial<Batch> = {}): Batch {
    const totals = { ...NO_SEEDS, seeds: to - from + 1, clean: to - from + 1 }
    return { ...settings, from, to, commit: 'abc', durationS: 1, failed: [], totals, ...change }
  }

  test('goes on where the last batch with the same settings ended', () => {
    const path = join(folder, 'results', 'simulation.jsonl')
    const ledger = new Ledger(path)
    expect(ledger.nextSeed(settings)).toBe(1)

    ledger.append(batch(1, 50))
    ledger.append(batch(51, 80))
    ledger.append(batch(1, 999, { nodes: 7 }))

    expect(new Ledger(path).nextSeed(settings)).toBe(81)
    expect(new Ledger(path).total(settings)).toMatchObject({ seeds: 80, clean: 80 })
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(3)
  })
})
