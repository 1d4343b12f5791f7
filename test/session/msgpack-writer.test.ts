import { expect, test } from 'vitest'
import { AttributeError } from '../../src/errors.js'
import { decodeValue, encodeValue } from '../../src/session/value.js'

const textOf = (i: number): string => String(i).padEnd((i * 37) % 1_300, '.')

test('encoded values keep apart, however many share a piece of memory', () => {
  const encoded = Array.from({ length: 2_000 }, (_, i) => encodeValue(textOf(i), 'a'))
  // What outgrows every shared piece, and what is refused half way, lie between.
  const large = encodeValue('x'.repeat(200_000), 'a')
  expect(() => encodeValue([textOf(40), () => 0], 'a')).toThrow(AttributeError)
  const [list, last] = [encodeValue([textOf(41), { none: undefined, one: 1 }], 'a'), encodeValue('last', 'a')]

  expect(encoded.map((bytes) => decodeValue(bytes))).toEqual(encoded.map((_, i) => ({ ok: true, value: textOf(i) })))
  expect(decodeValue(large)).toEqual({ ok: true, value: 'x'.repeat(200_000) })
  expect(decodeValue(list)).toEqual({ ok: true, value: [textOf(41), { one: 1 }] })
  expect(decodeValue(last)).toEqual({ ok: true, value: 'last' })
})

test('short values take hardly more memory than their bytes, and a long one keeps no other', () => {
  const memory = new Set(Array.from({ length: 1_000 }, () => encodeValue('x'.repeat(250), 'a').buffer))
  const bytes = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)

  expect(bytes).toBeLessThan(1_000 * 250 * 1.15)
  expect(encodeValue('x'.repeat(5_000), 'a').buffer.byteLength).toBe(5_003)
})
