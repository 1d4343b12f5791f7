import { expect, test } from 'vitest'
import { Line } from '../../bench/method/line.js'

test('a line through points that lie on one continues it', () => {
  const line = new Line()
  for (const x of [1, 2, 5]) line.add(x, 3 + 4 * x)

  expect(line.isDetermined).toBe(true)
  expect(line.at(100)).toBeCloseTo(403)
})

test('of points beside it the line is the one with the least squares', () => {
  const line = new Line()
  for (const [x, y] of [[0, 0], [1, 3], [2, 0]] as const) line.add(x, y)

  expect(line.at(0)).toBeCloseTo(1)
  expect(line.at(2)).toBeCloseTo(1)
})

test('several values at one place determine no line', () => {
  const line = new Line()
  line.add(3, 10)
  line.add(3, 20)

  expect(line.isDetermined).toBe(false)
})
