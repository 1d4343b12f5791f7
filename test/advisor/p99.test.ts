import { describe, expect, test } from 'vitest'
import { calibrate, type Calibration } from '../../src/advisor/calibrate.js'
import { CANDIDATES } from '../../src/advisor/kinds.js'
import type { Load } from '../../src/advisor/load.js'
import { predict } from '../../src/advisor/predict.js'
import type { RunCell, RunFile } from '../../src/advisor/run-file.js'
import { madeUpRun, TRUTH } from './made-up-run.js'

/** That run with other cells where `change` answers with one. */
function changed(change: (cell: RunCell, place: number) => Readonly<Record<string, number>> | undefined): RunFile {
  const { cells, ...run } = madeUpRun()
  return {
    ...run,
    cells: cells.map((cell, place) => {
      const figures = Object.entries(change(cell, place) ?? {}).map(([name, median]) => [name, { median }] as const)
      return { ...cell, figures: { ...cell.figures, ...Object.fromEntries(figures) } }
    }),
  }
}

function p99Of({ figures, settings }: RunCell): { readonly ms: number; readonly isHeldOut: boolean } | undefined {
  const ms = figures['p99']?.median
  return ms === undefined ? undefined : { ms, isHeldOut: settings['heldOut'] === true }
}

const known = calibrate(madeUpRun())

describe('the p99 of a calibration', () => {
  test('is one law for all kinds, whatever stalled in some loads', () => {
    const stalled = changed((cell, place) => {
      const p99 = p99Of(cell)
      return p99 === undefined || place % 4 > 0 ? undefined : { p99: p99.ms * 8 }
    })

    calibrate(stalled).p99?.coefficients.forEach((value, i) => {
      expect(value / (TRUTH.p99[i] ?? 0)).toBeCloseTo(1, 1)
    })
  })

  test('lies within what is promised, and not nearer, however well the law fits', () => {
    expect(known.misses.p99).toMatchObject({ low: 0.5, high: 1.5, heldOut: 8, kept: 8 })
  })

  test('lies further off where eight of ten of the loads that were fitted to do', () => {
    const scattered = changed((cell, place) => {
      const p99 = p99Of(cell)
      return p99 === undefined || p99.isHeldOut || place % 3 > 0 ? undefined : { p99: p99.ms * 3 }
    })
    const { misses } = calibrate(scattered)

    expect(misses.p99.high).toBeGreaterThan(2.5)
    expect(misses.p99.high).toBeLessThan(3.5)
    expect(misses.p99.heldOut).toBe(known.misses.p99.heldOut)
  })

  test('is judged by loads that have no say in how wrong it is said to be', () => {
    let spoilt = 0
    const { misses, heldOut } = calibrate(changed((cell) => {
      const p99 = p99Of(cell)
      return p99?.isHeldOut === true && spoilt++ < 2 ? { p99: p99.ms * 4 } : undefined
    }))

    expect(misses.p99).toEqual({ ...known.misses.p99, kept: 6 })
    expect(heldOut.p99.filter(({ measured, predicted }) => measured > 3.9 * predicted)).toHaveLength(2)
  })

  test('is predicted of a load that is held out by how busy it is expected to be, not by how busy it was', () => {
    const busier = calibrate(changed((cell) => {
      const us = cell.figures['cpuPerRequest']?.median
      return p99Of(cell)?.isHeldOut === true && us !== undefined ? { cpuPerRequest: us * 2 } : undefined
    }))

    busier.heldOut.p99.forEach(({ predicted }, i) => {
      expect(predicted).toBeCloseTo(known.heldOut.p99[i]?.predicted ?? 0, 9)
    })
    expect(busier.misses.cpu.high).toBeCloseTo(2, 1)
  })

  test('is not fitted to a load that kept the machine too busy', () => {
    const full = calibrate(changed((cell) => {
      const rate = cell.figures['rate']?.median
      const isBusy = cell.settings['writes'] === 0.6 && rate !== undefined && rate > 1_000
      return isBusy ? { cpuPerRequest: 0.8e6 / rate, p99: 500 } : undefined
    }))

    full.p99?.coefficients.forEach((value, i) => expect(value / (TRUTH.p99[i] ?? 0)).toBeCloseTo(1, 3))
    expect(full.p99?.sources.length).toBeLessThan(known.p99?.sources.length ?? 0)
  })
})

describe('the p99 of a prediction', () => {
  const load: Load = { sessions: 50_000, bytes: 1_000, changeBytes: 100, rate: 2_000, writes: 0.1, nodes: 4, rttMs: 0, acks: 'async' }
  const at = (rate: number, calibration: Calibration = known) => {
    const replicated = CANDIDATES.find(({ kind, acks }) => kind.name === 'replicated' && acks === 'async')
    return replicated && predict(calibration, replicated, { ...load, rate })
  }

  test.each([2_000, 20_000, 22_000, 24_000, 50_000])('is not promised of a node that is too busy: %d requests/s', (rate) => {
    const prediction = at(rate)
    const busy = (prediction?.cpu.value ?? 0) / load.nodes

    expect(Number.isFinite(prediction?.p99?.value)).toBe(busy <= 0.7)
  })
})
