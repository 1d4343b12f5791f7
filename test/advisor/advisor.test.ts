import { describe, expect, test } from 'vitest'
import { advise, type Question } from '../../src/advisor/advise.js'
import { calibrate } from '../../src/advisor/calibrate.js'
import { crossingOf } from '../../src/advisor/crossing.js'
import { fit, fitMedian } from '../../src/advisor/fit.js'
import { CANDIDATES, type KindName } from '../../src/advisor/kinds.js'
import type { Law } from '../../src/advisor/law.js'
import { CENTRAL_CPU, MEMORY, REPLICATED_CPU, STORE_CPU } from '../../src/advisor/laws.js'
import type { Acks, Load } from '../../src/advisor/load.js'
import { predict, type Prediction } from '../../src/advisor/predict.js'
import { readRunFile } from '../../src/advisor/run-file.js'
import { Random } from '../../src/simulator/random.js'
import { madeUpRun, TRUTH, valueOf } from './made-up-run.js'

const load: Load = {
  sessions: 50_000,
  bytes: 1_000,
  changeBytes: 100,
  rate: 2_000,
  writes: 0.1,
  nodes: 4,
  rttMs: 0.5,
  acks: 'async',
}

const question: Question = {
  load,
  limits: { p99Ms: undefined, stale: undefined, memory: undefined },
  acks: undefined,
  stamps: true,
  bytesPerCore: 4 * 1_024 ** 3,
  nodesMax: 200,
}

const known = calibrate(madeUpRun())

function predicted(name: KindName, acks: Acks = 'async', of: Load = load): Prediction {
  const candidate = CANDIDATES.find(({ kind, acks: own }) => kind.name === name && own === acks)
  const prediction = candidate && predict(known, candidate, of)
  if (prediction === undefined) throw new Error(`${name} cannot be predicted`)
  return prediction
}

describe('fitting a law', () => {
  const line: Law<{ x: number; y: number }> = {
    name: 'a line',
    unit: 'B',
    terms: [
      { name: 'x', of: ({ x }) => x },
      { name: 'y', of: ({ y }) => y },
    ],
  }
  const seen = (x: number, y: number, value: number) => ({ setting: { x, y }, value, source: `${x},${y}` })

  test('finds the coefficients that made the figures', () => {
    const fitted = fit(line, [seen(1, 0, 3), seen(0, 1, 5), seen(2, 2, 16)])

    expect(fitted.coefficients[0]).toBeCloseTo(3)
    expect(fitted.coefficients[1]).toBeCloseTo(5)
    expect(fitted.sources).toEqual(['1,0', '0,1', '2,2'])
  })

  test('has no coefficient below zero, and the others make up for it', () => {
    expect(fit(line, [seen(1, 1, 1), seen(2, 1, 3), seen(3, 1, 5)]).coefficients[1]).toBe(0)
  })

  test('gives to the first what it cannot tell apart', () => {
    const { coefficients } = fit(line, [seen(1, 2, 4), seen(2, 4, 8)])

    expect(coefficients[0]).toBeCloseTo(4)
    expect(coefficients[1]).toBe(0)
  })

  test('counts a small figure as much as a large one', () => {
    const { coefficients } = fit(line, [seen(1, 0, 10), seen(1_000, 0, 20_000)])

    expect(coefficients[0]).toBeCloseTo(12, 0)
  })
})

describe('fitting by the median', () => {
  const queue: Law<{ busy: number }> = {
    name: 'p99',
    unit: 'ms',
    terms: [
      { name: 'itself', of: () => 1 },
      { name: 'others', of: ({ busy }) => busy / (1 - busy) },
    ],
  }
  const valueAt = (busy: number): number => 2 + (5 * busy) / (1 - busy)
  const seen = (stalls: number) => Array.from({ length: 30 }, (_, i) => {
    const busy = 0.1 + i / 40
    return { setting: { busy }, value: valueAt(busy) * (i % 3 === 0 ? stalls : 1), source: '' }
  })

  test('is not drawn to what stalled, however long', () => {
    for (const stalls of [1, 5, 100]) {
      const { coefficients } = fitMedian(queue, seen(stalls))

      expect(coefficients[0]).toBeCloseTo(2, 1)
      expect(coefficients[1]).toBeCloseTo(5, 1)
    }
    expect(fit(queue, seen(5)).coefficients[0]).not.toBeCloseTo(2, 1)
  })

  test('of nothing is nothing', () => {
    expect(fitMedian(queue, [])).toMatchObject({ coefficients: [0, 0], sources: [] })
  })
})

describe('a calibration', () => {
  test('finds what the machine is made of', () => {
    known.kinds.replicated.cpu?.coefficients.forEach((value, i) => {
      expect(value / (TRUTH.replicatedCpu[i] ?? 0)).toBeCloseTo(1, 3)
    })
    known.kinds.replicated.traffic?.coefficients.forEach((value, i) => {
      expect(value / (TRUTH.replicatedTraffic[i] ?? 0)).toBeCloseTo(1, 3)
    })
    known.p99?.coefficients.forEach((value, i) => {
      expect(value / (TRUTH.p99[i] ?? 0)).toBeCloseTo(1, 3)
    })
    known.kinds.replicated.memory?.coefficients.forEach((value, i) => {
      expect(value / (TRUTH.copies[i] ?? 0)).toBeCloseTo(1, 3)
    })
  })

  test('predicts loads that nothing was fitted to, of other sizes, rates and numbers of nodes', () => {
    const cpu = valueOf(REPLICATED_CPU, TRUTH.replicatedCpu, load)

    expect(predicted('replicated').cpu.value / cpu).toBeCloseTo(1, 3)
    expect(predicted('redis').cpu.value / valueOf(CENTRAL_CPU, TRUTH.redisCpu, load)).toBeCloseTo(1, 3)
    const memory = (name: KindName): number => predicted(name).memory?.value ?? predicted(name).storeMemory?.value ?? 0
    expect(memory('replicated') / valueOf(MEMORY, TRUTH.copies, load)).toBeCloseTo(1, 6)
    expect(memory('redis') / valueOf(MEMORY, TRUTH.redisMemory, load)).toBeCloseTo(1, 6)
  })

  test('says how wrong it is by loads that nothing was fitted to, and covers what is true', () => {
    const dice = new Random(7, 'noise')
    const noisy = calibrate(madeUpRun({ factor: () => dice.between(0.85, 1.15) }))
    const candidate = CANDIDATES.find(({ kind }) => kind.name === 'replicated')
    const cpu = candidate && predict(noisy, candidate, load)?.cpu
    const truth = valueOf(REPLICATED_CPU, TRUTH.replicatedCpu, load)

    expect(noisy.misses.cpu.heldOut).toBe(8)
    expect(noisy.misses.cpu.low).toBeLessThan(0.97)
    expect(noisy.misses.cpu.high).toBeGreaterThan(1.03)
    expect(cpu?.low).toBeLessThan(truth)
    expect(cpu?.high).toBeGreaterThan(truth)
    expect(known.misses.cpu.low).toBeCloseTo(1)
    expect(known.misses.cpu.high).toBeCloseTo(1)
  })

  test('takes what a node has taken from those that it filled as well as from those it was told of', () => {
    const { cells, ...run } = madeUpRun()
    const twice = cells.map((cell) => {
      const own = cell.figures['rssPerSession']?.median
      if (cell.question !== 'memory' || own === undefined) return cell
      return { ...cell, figures: { rssPerSession: { median: own * 0.9 }, rssPerSessionAtPeer: { median: own * 1.1 } } }
    })

    calibrate({ ...run, cells: twice }).kinds.replicated.memory?.coefficients.forEach((value, i) => {
      expect(value / (TRUTH.copies[i] ?? 0)).toBeCloseTo(1, 3)
    })
  })

  test('learns nothing of a single request from a machine that cannot take more', () => {
    const { cells, ...run } = madeUpRun()
    const full = cells.map((cell) => {
      const { rate, cpuPerRequest } = cell.figures
      if (rate === undefined || cpuPerRequest === undefined || cell.settings['writes'] !== 0.6 || rate.median < 1_000) return cell
      const figures = { ...cell.figures, cpuPerRequest: { median: 0.95e6 / rate.median } }
      return { ...cell, figures }
    })

    expect(calibrate({ ...run, cells: full }).kinds.replicated.cpu?.coefficients[0]).toBeCloseTo(TRUTH.replicatedCpu[0], 6)
  })

  test('uses no cell that is void or wrong', () => {
    const run = madeUpRun()
    const spoilt = run.cells.map((cell, i) => (i % 3 === 0 ? { ...cell, marks: ['void'], figures: {} } : cell))
    const lied = spoilt.map((cell, i) => (i % 3 === 1 ? { ...cell, marks: ['wrong'], figures: { cpuPerRequest: { median: 1e9 } } } : cell))
    const fitted = calibrate({ ...run, cells: lied }).kinds.replicated.cpu

    expect(fitted?.coefficients[0]).toBeLessThan(0.001)
  })

  test('uses cells that were disturbed only where there are too few others', () => {
    const run = madeUpRun()
    const spoil = (share: number) => run.cells.map((cell, i) => {
      if (cell.question !== 'calibration' || i % 10 >= share * 10) return cell
      return { ...cell, marks: ['disturbed'], figures: { ...cell.figures, cpuPerRequest: { median: 1e6 } } }
    })
    const read = (share: number) => calibrate({ ...run, cells: spoil(share) }).kinds.replicated.cpu?.coefficients[0] ?? 0

    expect(read(0.3)).toBeCloseTo(TRUTH.replicatedCpu[0], 6)
    expect(read(1)).not.toBeCloseTo(TRUTH.replicatedCpu[0], 6)
  })

  test('knows nothing of what was not measured', () => {
    const { kinds, misses } = calibrate({ ...madeUpRun(), cells: [] })

    expect(kinds.replicated).toEqual({})
    expect(misses.cpu).toEqual({ low: 1, high: 1, heldOut: 0, kept: 0, fitted: 0 })
  })

  test('is read from a file, which may be none', () => {
    const run = madeUpRun()

    expect(readRunFile(JSON.stringify({ ...run, seconds: 5 }))).toEqual(run)
    expect(readRunFile('nonsense')).toBe('Invalid input: expected object, received undefined')
    expect(readRunFile(JSON.stringify({ ...run, cells: [{ question: 1 }] }))).toMatch(/^cells\.0\.question: /)
  })
})

describe('a prediction', () => {
  test('adds the round trips that the slowest requests wait for', () => {
    const local = predicted('replicated').p99?.value ?? 0

    expect((predicted('replicated', 'quorum').p99?.value ?? 0) - local).toBeGreaterThan(0.49)
    const redis = predicted('redis').p99
    expect(redis?.parts.at(-1)).toEqual({ name: 'round trips', value: 1, coefficient: 2 })
    const reads = { ...load, writes: 0.001 }
    expect(predicted('redis', 'async', reads).p99?.parts.at(-1)?.value).toBe(0.5)
    expect(predicted('replicated', 'all', reads).p99?.parts.at(-1)?.value).toBe(0)
  })

  test('says how many would meet an older copy', () => {
    const unseenMs = 0.15 + load.rttMs / 2

    expect(predicted('redis').staleShare).toBe(0)
    const perMs = load.rate / load.sessions / 1_000
    expect(predicted('replicated').staleShare).toBeCloseTo(perMs * load.writes * 0.75 * unseenMs, 9)
  })
})

describe('the advice', () => {
  test('is the cheapest that breaks no limit', () => {
    expect(advise(known, question).best?.prediction.candidate.title).toBe('replicated, acks async')

    const tight = advise(known, { ...question, limits: { ...question.limits, memory: 50e6 } })
    expect(tight.best?.prediction.candidate.title).toBe('Redis')
    expect(tight.options[0]?.breaks).toEqual(['memory above the limit'])

    const fast = advise(known, { ...question, limits: { ...question.limits, memory: 50e6, p99Ms: 0.1 } })
    expect(fast.best).toBeUndefined()
  })

  test('minds older copies only where browsers carry no stamps', () => {
    const limits = { ...question.limits, stale: 0 }

    expect(advise(known, { ...question, limits }).best?.prediction.candidate.kind.name).toBe('replicated')
    expect(advise(known, { ...question, limits, stamps: false }).best?.prediction.candidate.kind.name).toBe('redis')
  })

  test('names what dominates', () => {
    const [first] = advise(known, question).options
    const busy = advise(known, { ...question, load: { ...load, nodes: 40, writes: 0.9 } }).options[0]

    expect(first?.dominant?.name).toBe('each read')
    expect(busy?.dominant?.name).toBe('each write, per peer')
  })

  test('weighs only the acks that were asked for, and Redis', () => {
    const titles = advise(known, { ...question, acks: 'quorum' }).options.map(({ prediction }) => prediction.candidate.title)

    expect(titles).toEqual(['replicated, acks quorum', 'Redis'])
  })
})

describe('the crossing', () => {
  const exact = (value: number) => ({ value, low: value, high: value })
  const about = (value: number) => ({ value, low: value * 0.9, high: value * 1.1 })

  test('is the first number of nodes at which the other is cheaper', () => {
    const found = crossingOf((nodes) => exact(1 + nodes / 10), () => exact(2.05), 100)

    expect(found).toEqual({ upTo: 100, nodes: 11, earliest: 11, latest: 11 })
  })

  test('has an interval as wide as the predictions are wrong', () => {
    const found = crossingOf((nodes) => about(1 + nodes / 10), () => about(2.05), 100)

    expect(found).toEqual({ upTo: 100, nodes: 11, earliest: 7, latest: 16 })
  })

  test('may not be there', () => {
    expect(crossingOf(() => exact(1), () => exact(2), 50)).toEqual({
      upTo: 50,
      nodes: undefined,
      earliest: undefined,
      latest: undefined,
    })
  })

  test('of a machine that is known lies where its coefficients put it', () => {
    const memoryless = { ...question, bytesPerCore: 1e30 }
    const of = (nodes: number) => ({ ...load, nodes })
    const redis = (nodes: number): number =>
      valueOf(CENTRAL_CPU, TRUTH.redisCpu, of(nodes)) + valueOf(STORE_CPU, TRUTH.redisServerCpu, of(nodes))
    const isCrossed = (nodes: number): boolean => valueOf(REPLICATED_CPU, TRUTH.replicatedCpu, of(nodes)) > redis(nodes)
    const expected = Array.from({ length: 200 }, (_, i) => i + 1).find(isCrossed)

    expect(expected).toBeGreaterThan(20)
    expect(advise(known, memoryless).crossing?.nodes).toBe(expected)
  })
})
