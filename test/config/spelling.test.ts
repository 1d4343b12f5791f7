import fc from 'fast-check'
import { expect, test } from 'vitest'
import { didYouMean, editDistance, nearest } from '../../src/spelling.js'

test.each([
  ['replcas', 'replicas', 1],
  ['paers', 'peers', 1],
  ['epers', 'peers', 1],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
])('%s is %s within %d edits', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance)
})

test('a distance is symmetric, zero only for equal words, and never more than the longer word', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      const distance = editDistance(a, b)
      expect(distance).toBe(editDistance(b, a))
      expect(distance === 0).toBe(a === b)
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
    }),
  )
})

test('the nearest word is found, and none where nothing is near', () => {
  expect(nearest('advertize', ['listen', 'advertise', 'id'])).toBe('advertise')
  expect(nearest('Peers', ['peers', 'name'])).toBe('peers')
  expect(nearest('zebra', ['peers', 'name'])).toBeUndefined()
  expect(didYouMean('sttus', ['status', 'start'])).toBe(', did you mean status?')
  expect(didYouMean('zebra', ['status'])).toBe('')
})
