import { expect, test } from 'vitest'
import { simulate } from '../../bench/load/simulated.js'

const LOAD = { writes: 200, bytes: 100, seed: 1 } as const

test('a write reaches every other node, with its value, in about one message each', () => {
  const { messagesPerWrite, bytesPerWrite } = simulate({ ...LOAD, nodes: 5 })

  expect(messagesPerWrite).toBeGreaterThan(3)
  expect(messagesPerWrite).toBeLessThan(4.5)
  expect(bytesPerWrite).toBeGreaterThan(4 * LOAD.bytes)
  expect(bytesPerWrite).toBeLessThan(4 * 2 * LOAD.bytes)
})

test('a larger value costs its bytes once per other node', () => {
  const [small, large] = [100, 1_100].map((bytes) => simulate({ ...LOAD, nodes: 3, bytes }).bytesPerWrite)

  expect((large ?? NaN) - (small ?? NaN)).toBeGreaterThan(2 * 990)
  expect((large ?? NaN) - (small ?? NaN)).toBeLessThan(2 * 1_020)
})

test('the same seed says the same', () => {
  expect(simulate({ ...LOAD, nodes: 3 })).toEqual(simulate({ ...LOAD, nodes: 3 }))
})
