/** What a calibration is judged by: loads and sizes that it was not fitted to. */
import { describe, expect, test } from 'vitest'
import { calibrate } from '../../src/advisor/calibrate.js'
import { madeUpRun } from './made-up-run.js'

const known = calibrate(madeUpRun())

describe('a calibration is judged by what it was not fitted to, and', () => {
  test('predicts every size from the others, to say how wrong it is about memory', () => {
    const larger = (factor: number) => {
      const { cells, ...run } = madeUpRun()
      return calibrate({
        ...run,
        cells: cells.map((cell) => {
          const isOne = cell.variant === 'mesh-async' && cell.settings['shape'] === '4KB' && cell.settings['sessions'] === 10_000
          return isOne ? { ...cell, figures: { rssPerSession: { median: (cell.figures['rssPerSession']?.median ?? 0) * factor } } } : cell
        }),
      })
    }

    expect(known.misses.memory).toMatchObject({ heldOut: 6 })
    expect(known.misses.memory.high).toBeCloseTo(1)
    expect(larger(1.2).misses.memory.high).toBeGreaterThan(1.199)
  })

  test('judges no size that alone tells what a byte takes from what an attribute takes', () => {
    const { cells, ...run } = madeUpRun()
    const isSecond = ({ variant, settings: { shape, sessions } }: (typeof cells)[number]): boolean => {
      return variant === 'mesh-redis' && shape === '4KB' && sessions === 100_000
    }
    const { heldOut } = calibrate({ ...run, cells: cells.filter((cell) => !isSecond(cell)) })

    expect(known.heldOut.storeMemory).toHaveLength(6)
    expect(heldOut.storeMemory.map(({ cell: { settings } }) => settings['shape'])).toEqual(['256B', '1KB', '256B', '1KB'])
  })

  test('judges a size also where the others leave a term at nothing', () => {
    // As they were measured once: a process that takes 4 kB by all sizes together, and by some of them nothing.
    const measured = new Map([['256B 10000', 1_582], ['1KB 10000', 3_392], ['4KB 10000', 6_753], ['256B 100000', 1_587], ['1KB 100000', 3_365]])
    const { cells, ...run } = madeUpRun()
    const sizes = cells.flatMap((cell) => {
      if (cell.question !== 'memory' || cell.variant !== 'mesh-redis') return [cell]
      const median = measured.get(`${cell.settings['shape']} ${cell.settings['sessions']}`)
      return median === undefined ? [] : [{ ...cell, figures: { rssPerSession: { median } } }]
    })

    expect(calibrate({ ...run, cells: sizes }).heldOut.storeMemory).toHaveLength(4)
  })

  test('leaves out no load that was to judge it, whatever else the machine did', () => {
    const { cells, ...run } = madeUpRun()
    const firstHeldOut = cells.find(({ settings }) => settings['heldOut'] === true)
    const { heldOut } = calibrate({ ...run, cells: cells.map((cell) => (cell === firstHeldOut ? { ...cell, marks: ['disturbed'] } : cell)) })

    expect(heldOut.cpu.map(({ cell }) => cell.marks).flat()).toEqual(['disturbed'])
    expect(heldOut.cpu).toHaveLength(known.heldOut.cpu.length)
  })
})
