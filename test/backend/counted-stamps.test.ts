import { expect, test } from 'vitest'
import { CountedStamps } from '../../src/backend/counted-stamps.js'
import { SeenSealer } from '../../src/backend/replicated/seen.js'

const stamps = new CountedStamps(new SeenSealer(['0123456789abcdef0123456789abcdef']))
const birth = { actor: 5, counter: 3 }

test('each number of commits is told, also that which is the number of the birth', () => {
  for (const commits of [1, 2, birth.counter, 4]) {
    expect(stamps.commitsIn(stamps.sealed(birth, commits, undefined), birth)).toBe(commits)
  }
})

test('what the browser has been told is not told again', () => {
  const seen = stamps.sealed(birth, 4, undefined)
  expect(stamps.sealed(birth, 4, seen)).toBeUndefined()
  expect(stamps.commitsIn(stamps.sealed(birth, 5, seen), birth)).toBe(5)
})
