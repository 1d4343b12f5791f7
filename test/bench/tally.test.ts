import { describe, expect, test } from 'vitest'
import { figureOf, median, quantile } from '../../bench/method/figures.js'
import { Tally } from '../../bench/method/tally.js'
import type { Question, Sample, Trial } from '../../bench/question.js'
import type { Cell } from '../../bench/results.js'

const settings = { nodes: 1 }

const question: Question = {
  name: 'http-cost',
  title: 'made up',
  ratios: [
    { figure: 'cpuRatio', of: 'cpu', to: (variant) => (variant === 'none' ? undefined : { variant: 'floor', settings }) },
  ],
  plan: () => [],
}

function trial(variant: string): Trial {
  return { variant, group: 'all', cells: [settings], seconds: 1, measure: async () => [] }
}

const cpu = (value: number, more: Partial<Sample> = {}): Sample => ({
  settings,
  figures: { cpu: { unit: 'us', value } },
  ...more,
})

/** The cells of variants, each with the samples of its rounds. */
function cellsOf(rounds: Readonly<Record<string, readonly Sample[]>>): Readonly<Record<string, Cell | undefined>> {
  const tally = new Tally()
  for (const [variant, samples] of Object.entries(rounds)) {
    for (const [round, sample] of samples.entries()) tally.add(question, trial(variant), round, [sample])
  }
  return Object.fromEntries(tally.cells().map((cell) => [cell.variant, cell]))
}

describe('a cell', () => {
  test('has the median, the least and the greatest of its rounds, and all of them', () => {
    const { mesh } = cellsOf({ mesh: [cpu(30), cpu(10), cpu(20)] })

    expect(mesh?.figures['cpu']).toEqual({ unit: 'us', median: 20, min: 10, max: 30, rounds: [30, 10, 20] })
  })

  test('leaves void rounds out, and says why', () => {
    const { mesh } = cellsOf({ mesh: [cpu(30), cpu(999, { marks: ['void'], notes: ['half the load'] }), cpu(20)] })

    expect(mesh?.figures['cpu']?.rounds).toEqual([30, 20])
    expect(mesh?.marks).toEqual([])
    expect(mesh?.notes).toEqual(['round 2, void: half the load'])
  })

  test('of void rounds alone is void and has no figures', () => {
    const { mesh } = cellsOf({ mesh: [cpu(1, { marks: ['void'] }), cpu(2, { marks: ['void', 'disturbed'] })] })

    expect(mesh?.figures).toEqual({})
    expect(mesh?.marks).toEqual(['void', 'disturbed'])
  })

  test('is disturbed or wrong as soon as one of its rounds is, void or not', () => {
    const { mesh } = cellsOf({ mesh: [cpu(1, { marks: ['disturbed'] }), cpu(2, { marks: ['void', 'wrong'] })] })

    expect(mesh?.marks).toEqual(['disturbed', 'wrong'])
  })

  test('shows the curves of its median round', () => {
    const curves = (y: number): Partial<Sample> => ({ curves: { latency: [[0, y]] } })

    const { mesh } = cellsOf({ mesh: [cpu(30, curves(3)), cpu(10, curves(1)), cpu(20, curves(2))] })

    expect(mesh?.curves).toEqual({ latency: [[0, 2]] })
  })

  test('is the same cell whatever order its settings come in', () => {
    const tally = new Tally()
    tally.add(question, trial('mesh'), 0, [{ settings: { a: 1, b: 2 }, figures: { cpu: { unit: 'us', value: 1 } } }])
    tally.add(question, trial('mesh'), 1, [{ settings: { b: 2, a: 1 }, figures: { cpu: { unit: 'us', value: 3 } } }])

    expect(tally.cells().map((cell) => cell.figures['cpu']?.rounds)).toEqual([[1, 3]])
  })
})

describe('a ratio', () => {
  test('is formed within each round, so that a slow round does not enter it', () => {
    const { mesh } = cellsOf({ mesh: [cpu(20), cpu(220), cpu(60)], floor: [cpu(10), cpu(100), cpu(30)] })

    expect(mesh?.figures['cpuRatio']).toEqual({
      unit: 'ratio',
      median: 2,
      min: 2,
      max: 2.2,
      rounds: [2, 2.2, 2],
      to: 'floor',
    })
  })

  test('leaves out a round that is void on either side', () => {
    const { mesh } = cellsOf({
      mesh: [cpu(20), cpu(50), cpu(90, { marks: ['void'] })],
      floor: [cpu(10), cpu(1, { marks: ['void'] }), cpu(30)],
    })

    expect(mesh?.figures['cpuRatio']?.rounds).toEqual([2])
  })

  test('is missing where the other cell was not measured, or where there is none to compare with', () => {
    const { mesh } = cellsOf({ mesh: [cpu(20)] })
    const { none } = cellsOf({ none: [cpu(20)], floor: [cpu(10)] })

    expect(mesh?.figures).not.toHaveProperty('cpuRatio')
    expect(none?.figures).not.toHaveProperty('cpuRatio')
  })
})

describe('figures', () => {
  test.each([
    [[5], 5],
    [[3, 1], 2],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
  ])('the median of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected)
    expect(figureOf('ms', values).median).toBe(expected)
  })

  test('a quantile is a value that was seen, by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i)

    expect([0, 0.5, 0.99, 1].map((share) => quantile(values, share))).toEqual([1, 50, 99, 100])
  })
})
