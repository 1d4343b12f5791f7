import { expect, test } from 'vitest'
import { formatDuration, parseDuration } from '../../src/duration.js'

test.each([
  [1_500, 1_500],
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5m', 90_000],
  ['12h', 43_200_000],
  ['30d', 2_592_000_000],
  [Infinity, Infinity],
])('%s is %d milliseconds', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', '30', '30 m', '30M', '-1s', '1e3s', 'Infinity', '1y', NaN, null, true, {}])('%s is no duration', (value) => {
  expect(parseDuration(value)).toBeUndefined()
})

test('a duration is written in its largest whole unit', () => {
  expect([0, 1, 90_000, 1_800_000, 86_400_000, 1_500, Infinity].map(formatDuration)).toEqual([
    '0ms', '1ms', '90s', '30m', '1d', '1500ms', 'never',
  ])
})
