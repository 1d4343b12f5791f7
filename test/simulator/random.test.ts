import { describe, expect, test } from 'vitest'
import { EventQueue } from '../../src/simulator/queue.js'
import { Random } from '../../src/simulator/random.js'

describe('seeded dice', () => {
  test('are spread evenly', () => {
    const dice = new Random(1)
    const sums = Array.from({ length: 10 }, () => 0)

    for (let i = 0; i < 10_000; i++) sums[dice.integer(0, 9)] = (sums[dice.integer(0, 9)] ?? 0) + 1
    const mean = Array.from({ length: 10_000 }, () => dice.unit()).reduce((sum, value) => sum + value, 0) / 10_000

    expect(mean).toBeGreaterThan(0.48)
    expect(mean).toBeLessThan(0.52)
    expect(Math.min(...sums)).toBeGreaterThan(800)
  })

  test('fork streams that differ by name', () => {
    const [a, b] = [new Random(7).fork('a'), new Random(7).fork('b')]

    expect(a.bits()).not.toBe(b.bits())
  })

  test('draw actors that fit a safe integer and are never zero', () => {
    const dice = new Random(3)

    const actors = Array.from({ length: 1_000 }, () => dice.actor())

    expect(actors.every((actor) => Number.isSafeInteger(actor) && actor > 0)).toBe(true)
    expect(new Set(actors).size).toBe(1_000)
  })
})

describe('the event queue', () => {
  test('lets things happen by time, and in the order they were planned', () => {
    const queue = new EventQueue()
    const happened: string[] = []
    for (const [at, name] of [
      [5, 'd'],
      [1, 'a'],
      [3, 'b'],
      [3, 'c'],
      [9, 'e'],
    ] as const)
      queue.at(at, () => happened.push(name))

    queue.runUntil(5)

    expect(happened).toEqual(['a', 'b', 'c', 'd'])
    expect([queue.now, queue.size]).toEqual([5, 1])
  })
})
