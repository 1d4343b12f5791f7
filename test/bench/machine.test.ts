import { describe, expect, test } from 'vitest'
import { Progress } from '../../bench/progress.js'
import { randomOf, seedOf, shuffled } from '../../bench/method/random.js'
import { coresOf } from '../../bench/rig/proc.js'
import type { Step } from '../../bench/run.js'

test.each([
  ['0', [0]],
  ['0-3', [0, 1, 2, 3]],
  ['0-1,5', [0, 1, 5]],
])('the cores %s are %j', (list, cores) => {
  expect(coresOf(list)).toEqual(cores)
})

describe('dice', () => {
  test('of the same seed fall the same, evenly and below one', () => {
    const [a, b] = [randomOf(7), randomOf(7)]
    const values = Array.from({ length: 10_000 }, a)

    expect(values).toEqual(Array.from({ length: 10_000 }, b))
    expect(Math.max(...values)).toBeLessThan(1)
    expect(values.filter((value) => value < 0.5).length / 10_000).toBeCloseTo(0.5, 1)
  })

  test('of other names fall otherwise', () => {
    expect(seedOf(1, 'a', 'b')).not.toBe(seedOf(1, 'ab'))
    expect(seedOf(1, 'a')).not.toBe(seedOf(2, 'a'))
  })

  test('put every thing at every place', () => {
    const random = randomOf(1)
    const places = new Set(Array.from({ length: 200 }, () => shuffled(['a', 'b', 'c'], random).join('')))

    expect(places.size).toBe(6)
  })
})

describe('progress', () => {
  const step = (seconds: number): Step => ({
    question: { name: 'latency', title: '', plan: () => [] },
    trial: { variant: 'floor', group: '', cells: [], seconds, measure: async () => [] },
    round: 0,
  })
  const steps = [step(10), step(10), step(30)]

  test('says what is left by how wrong the plan has been so far', () => {
    let now = 0
    const written: string[] = []
    const write = (text: string): void => void written.push(text)
    const progress = new Progress(steps, { write, isTerminal: false, hasColor: true, nowMs: () => now })

    expect(progress.secondsLeft()).toBe(50)
    now = 20_000
    progress.measured(step(10))
    progress.began(step(10))

    expect(progress.secondsLeft()).toBe(80)
    expect(written).toEqual(['2/3 latency floor, round 1, 1:20 min left\n'])
  })

  test('overwrites one line on a terminal, without colours where they are not wanted', () => {
    const written: string[] = []
    const write = (text: string): void => void written.push(text)
    const progress = new Progress(steps, { write, isTerminal: true, hasColor: false, nowMs: () => 0 })

    progress.began(step(10))

    expect(written).toEqual(['\r\u001b[2K1/3 latency floor, round 1, 50 s left'])
  })
})
