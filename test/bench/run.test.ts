import { describe, expect, test } from 'vitest'
import type { Question, Sample, Trial } from '../../bench/question.js'
import type { Cell } from '../../bench/results.js'
import { unpinned } from '../../bench/rig/pinning.js'
import { run, stepsOf, type Planned, type RunOptions } from '../../bench/run.js'

const question: Question = { name: 'latency', title: 'made up', plan: () => [] }

function trial(variant: string, more: Partial<Trial> = {}): Trial {
  const sample: Sample = { settings: {}, figures: { p50: { unit: 'ms', value: 1 } } }
  return { variant, group: 'one', cells: [{}], seconds: 1, measure: async () => [sample], ...more }
}

const names = 'abcdefgh'.split('')
const plan: readonly Planned[] = [{ question, trials: names.map((name) => trial(name)) }]

const optionsOf = (trials: readonly Trial[], more: Partial<RunOptions> = {}): RunOptions => ({
  plan: [{ question, trials }],
  rounds: 1,
  seed: 1,
  windowSeconds: 1,
  pinning: unpinned('a test'),
  cores: 1,
  nowMs: () => 0,
  signal: new AbortController().signal,
  began: () => {},
  measured: () => {},
  ...more,
})

describe('the order of trials', () => {
  test('has every trial of a group in every round', () => {
    const steps = stepsOf(plan, 3, 1)

    for (const round of [0, 1, 2]) {
      const taking = steps.slice(round * 8, round * 8 + 8)
      expect(taking.map((step) => step.round)).toEqual(Array.from({ length: 8 }, () => round))
      expect(taking.map((step) => step.trial.variant).sort()).toEqual(names)
    }
  })

  test('is another one in each round and for each seed, and the same for the same seed', () => {
    const order = (seed: number): string => stepsOf(plan, 3, seed).map((step) => step.trial.variant).join('')

    expect(order(1)).toBe(order(1))
    expect(order(1)).not.toBe(order(2))
    expect(order(1).slice(0, 8)).not.toBe(order(1).slice(8, 16))
  })

  test('finishes a group before the next one begins', () => {
    const trials = [trial('a'), trial('b', { group: 'two' }), trial('c')]

    const groups = stepsOf([{ question, trials }], 2, 1).map((step) => step.trial.group)

    expect(groups).toEqual(['one', 'one', 'one', 'one', 'two', 'two'])
  })

  test('has a trial that is to be measured less often in so many rounds only', () => {
    const steps = stepsOf([{ question, trials: [trial('a'), trial('b', { rounds: 1 })] }], 3, 1)

    expect(steps.filter((step) => step.trial.variant === 'b').map((step) => step.round)).toEqual([0])
    expect(steps).toHaveLength(4)
  })
})

describe('a run', () => {
  test('goes on where a trial breaks, and says what broke', async () => {
    const broken = trial('broken', {
      measure: () => Promise.reject(new Error('the server ended\nwith a long story')),
    })

    const cells = await run(optionsOf([broken, trial('a')]))

    expect(cells.find(({ variant }) => variant === 'a')?.figures['p50']?.median).toBe(1)
    expect(cells.find(({ variant }) => variant === 'broken')).toMatchObject({
      marks: ['void'],
      notes: ['round 1, void: could not be measured: Error: the server ended'],
    })
  })

  test('tells all cells so far after each trial', async () => {
    const seen: number[] = []
    const measured = (cells: readonly Cell[]): void => void seen.push(cells.length)

    await run(optionsOf([trial('a'), trial('b'), trial('c')], { measured }))

    expect(seen).toEqual([1, 2, 3])
  })

  test('that is aborted keeps what was measured and nothing of the trial under way', async () => {
    const abort = new AbortController()
    const measured = (): void => abort.abort()

    const cells = await run(optionsOf([trial('a'), trial('b')], { signal: abort.signal, measured }))

    expect(cells).toHaveLength(1)
  })

  test('notes on every cell that servers and load shared their cores', async () => {
    const [cell] = await run(optionsOf([trial('a')]))

    expect(cell?.notes).toEqual(['round 1: servers and load shared the same cores: a test'])
  })
})
