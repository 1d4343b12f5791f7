import { describe, expect, test } from 'vitest'
import { simulate } from '../../src/simulator/run.js'

describe('a simulation', () => {
  test('does the same again for the same seed', () => {
    const options = { seed: 11, minutes: 0.5 }

    const [first, second] = [simulate(options), simulate(options)]

    expect(second.traceHash).toBe(first.traceHash)
    expect(second.counts).toEqual(first.counts)
  })

  test('does something else for another seed', () => {
    expect(simulate({ seed: 12, minutes: 0.5 }).traceHash).not.toBe(simulate({ seed: 13, minutes: 0.5 }).traceHash)
  })
})
