import { expect, test } from 'vitest'
import { keptBytes } from '../../src/session/kept.js'

test('what is kept does not change with what it was copied from', () => {
  const source = Uint8Array.of(1, 2, 3)
  const kept = keptBytes(source)
  source[0] = 9

  expect([...kept]).toEqual([1, 2, 3])
})

test('values of all sizes keep apart, however many share a slab', () => {
  const values = Array.from({ length: 3_000 }, (_, i) => new Uint8Array(i % 1_100).fill(i % 251))
  const kept = values.map((value) => keptBytes(value))

  expect(kept.every((bytes, i) => Buffer.compare(bytes, values[i] ?? new Uint8Array()) === 0)).toBe(true)
})

test('many small values take hardly more memory than their bytes', () => {
  const memory = new Set(Array.from({ length: 1_000 }, () => keptBytes(new Uint8Array(256)).buffer))
  const bytes = [...memory].reduce((sum, buffer) => sum + buffer.byteLength, 0)

  expect(bytes).toBeLessThan(1_000 * 256 * 1.1)
})
