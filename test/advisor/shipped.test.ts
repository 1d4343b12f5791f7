/** The calibration that comes with the package, whichever it is, held against what it says of itself. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { calibrate } from '../../src/advisor/calibrate.js'
import { KINDS } from '../../src/advisor/kinds.js'
import { nameOf } from '../../src/advisor/measured-load.js'
import { ratioOf, type Judged } from '../../src/advisor/miss.js'
import { readRunFile } from '../../src/advisor/run-file.js'

const run = readRunFile(readFileSync(new URL('../../bench/results/calibration.json', import.meta.url), 'utf8'))
if (typeof run === 'string') throw new Error(`bench/results/calibration.json: ${run}`)
const { heldOut, kinds, misses } = calibrate(run)

/** Named, so that one which is wrong is told by its name. */
function ratiosOf(judged: readonly Judged[]): readonly (readonly [load: string, measuredToPredicted: number])[] {
  return judged.map((one) => [nameOf(one.cell), Number(ratioOf(one).toFixed(3))] as const)
}

describe('the calibration that is shipped', () => {
  test('knows every kind', () => {
    for (const { name, storeCpu, hasCopies } of KINDS) {
      expect(Object.keys(kinds[name])).toEqual([
        'cpu',
        ...(storeCpu === undefined ? [] : ['storeCpu']),
        'traffic',
        ...(hasCopies ? ['memory'] : []),
        ...(storeCpu === undefined ? [] : ['storeMemory']),
      ])
    }
  })

  test.each(['cpu', 'memory', 'storeMemory', 'traffic'] as const)('predicts %s of loads it was not fitted to within 30 %%', (quantity) => {
    expect(heldOut[quantity].length).toBeGreaterThanOrEqual(quantity === 'cpu' ? 6 : 4)
    expect(ratiosOf(heldOut[quantity]).filter(([, ratio]) => Math.abs(ratio - 1) > 0.3)).toEqual([])
  })

  test('predicts the p99 of six loads it was not fitted to as well as it says: by half, or by as much as it admits', () => {
    const { low, high } = misses.p99

    expect(heldOut.p99).toHaveLength(6)
    expect(low).toBeLessThanOrEqual(0.5)
    expect(high).toBeGreaterThanOrEqual(1.5)
    expect(ratiosOf(heldOut.p99).filter(([, ratio]) => ratio < low || ratio > high)).toEqual([])
  })
})
