import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { IdCodec } from '../../src/session/id.js'
import type { Note } from '../support/canary/paper.js'
import { scan, type Leak } from '../support/canary/scan.js'

const SECRET = 'vN4rTq8xWm2kZc6hLs0yJd5bGf7pXa9e'
const ID = new IdCodec([SECRET], randomBytes).make({ actor: 7, counter: 9 })
const COOKIE = 'k3Jh5Gf7Ds9Aq1Wz2Sx4Ed6Rf8Tg0YhU'

const WORDS: readonly Note[] = [
  { type: 'secret', word: SECRET },
  { type: 'id', word: COOKIE },
  { type: 'id', word: 'x'.repeat(48) },
]

function leaksOf(text: string): readonly Leak[] {
  return scan([...WORDS, { type: 'text', kind: 'log', from: 'a test', text }]).leaks
}

describe('a run is searched', () => {
  test.each<readonly [what: string, text: string, leak: Leak['what']]>([
    ['a secret', `bad secret ${SECRET}`, 'secret'],
    ['a secret inside a word', `x${SECRET}y`, 'secret'],
    ['an id that no cookie had', `session ${ID} ended`, 'session id'],
    ['an id inside a longer token', `key_${ID}-1`, 'session id'],
    ['a cookie', `sid=${COOKIE}`, 'part of a session id'],
    ['half a cookie, from anywhere', `sid=${COOKIE.slice(1)}`, 'part of a session id'],
    ['a value that is marked', '{"cart":"CanaryValueOfAnAttribute"}', 'attribute value'],
  ])('for %s', (_, text, what) => {
    const leaks = leaksOf(text)

    expect(leaks).toMatchObject([{ what, kind: 'log', from: 'a test' }])
    expect(leaks[0]?.excerpt).toContain(`‹${what}›`)
  })

  test.each([
    ['words of 48 characters', 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv'],
    ['ids that other secrets made', new IdCodec(['another secret of 32 characters!!'], randomBytes).make({ actor: 7, counter: 9 })],
    ['short parts of a cookie', COOKIE.slice(0, 15)],
    ['cookies that a test made up', 'x'.repeat(40)],
    ['nothing', ''],
  ])('and %s are no leak', (_, text) => {
    expect(leaksOf(text)).toEqual([])
  })

  test('and what leaked is not told again', () => {
    const [leak] = leaksOf(`first ${SECRET} then ${SECRET}${SECRET} and ${ID}`)

    expect(leak?.excerpt).toBe('first ‹secret› then ‹secret›‹secret› and ‹…›')
  })
})
