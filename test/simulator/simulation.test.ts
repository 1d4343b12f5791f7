import { describe, expect, test, vi } from 'vitest'
import { ReplicaState } from '../../src/replica/state.js'
import { FAULT_KINDS } from '../../src/simulator/episodes.js'
import { simulate } from '../../src/simulator/run.js'
import { shrink } from '../../src/simulator/shrink.js'

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

  test('of full length has enough of everything to mean something', () => {
    const { failure, isVoid, counts } = simulate({ seed: 1 })

    expect(failure).toBeUndefined()
    expect(isVoid).toBe(false)
    expect(counts.commits).toBeGreaterThanOrEqual(2_000)
    expect(counts.kills).toBeGreaterThanOrEqual(50)
    expect(counts.rotations).toBeGreaterThanOrEqual(50)
    expect(counts.faults).toBeGreaterThanOrEqual(50)
    expect(counts.simulatedMs).toBeGreaterThanOrEqual(600_000)
  }, 30_000)

  test('keeps every promise for twenty seeds', () => {
    const failures = Array.from({ length: 20 }, (_, seed) => simulate({ seed, minutes: 0.5 }).failure)

    expect(failures.filter((failure) => failure !== undefined)).toEqual([])
  }, 30_000)

  test('has attributes that merge in some worlds, and has every addition counted once', () => {
    const results = Array.from({ length: 12 }, (_, seed) => simulate({ seed, minutes: 1 }))
    const merging = results.filter(({ plan }) => plan.merges)

    expect(merging.length).toBeGreaterThan(0)
    expect(merging.length).toBeLessThan(results.length)
    for (const { failure, plan, counts } of results) {
      expect(failure).toBeUndefined()
      expect(counts.mergingWrites > 50).toBe(plan.merges)
    }
  }, 30_000)

  test('has ids in some worlds under which several nodes made a session', () => {
    const results = Array.from({ length: 8 }, (_, seed) => simulate({ seed, minutes: 2 }))

    expect(results.map(({ plan }) => plan.twins)).toContain(true)
    for (const { failure, plan, counts } of results) {
      expect(failure).toBeUndefined()
      expect(counts.madeTwice > 0).toBe(plan.twins)
    }
  }, 30_000)

  test('has sessions taken over that were made elsewhere in some worlds, by one node and again', () => {
    const results = Array.from({ length: 8 }, (_, seed) => simulate({ seed, minutes: 2 }))
    const importing = results.filter(({ plan }) => plan.imports)

    expect(importing.length).toBeGreaterThan(0)
    expect(importing.length).toBeLessThan(results.length)
    for (const { failure, plan, counts } of results) {
      expect(failure).toBeUndefined()
      expect(counts.imports > 0 && counts.importsAgain > 0).toBe(plan.imports)
    }
  }, 30_000)

  test('without faults serves nothing stale and refuses nobody', () => {
    const { failure, isVoid, counts } = simulate({ seed: 5, minutes: 2, without: FAULT_KINDS })

    expect(failure).toBeUndefined()
    expect(isVoid).toBe(true)
    expect(counts.served).toBeGreaterThan(300)
    expect([counts.flaggedStale, counts.behind, counts.anonymousInError]).toEqual([0, 0, 0])
  })

  test('without stamps shows browsers what is older than what they have seen', () => {
    const { counts } = simulate({ seed: 3, minutes: 2, stamps: false })

    expect(counts.sequentialStale).toBeGreaterThan(0)
  })
})

describe('a planted bug', () => {
  test('is caught, and its transcript made short', () => {
    const planted = vi.spyOn(ReplicaState.prototype, 'isDead').mockReturnValue(false)
    try {
      const { plan, failure } = simulate({ seed: 1, minutes: 2 })
      expect(failure).toBeDefined()

      const shrunk = shrink(plan, { attemptsMax: 40, traceLines: 50 })

      expect(shrunk?.failure.checker).toBe(failure?.checker)
      expect(shrunk?.plan.durationMs).toBeLessThan(plan.durationMs)
      expect(shrunk?.failure.transcript.length).toBeGreaterThan(0)
    } finally {
      planted.mockRestore()
    }
  })
})
