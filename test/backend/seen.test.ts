import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SeenSealer } from '../../src/backend/replicated/seen.js'
import type { Stamp } from '../../src/replica/events.js'

const sealer = new SeenSealer(['0123456789abcdef0123456789abcdef', 'old-0123456789abcdef0123456789abcdef'])
const birth = { actor: 9_007_199_254_740_991, counter: 7 }

const dot = fc.record({ actor: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), counter: fc.integer({ min: 1, max: 2 ** 40 }) })
const stamp: fc.Arbitrary<Stamp> = fc.record({
  highest: fc.nat(Number.MAX_SAFE_INTEGER),
  touchedAt: fc.nat(Date.UTC(2100, 0, 1)),
  dots: fc.uniqueArray(dot, { minLength: 1, maxLength: 8, selector: ({ actor }) => actor }),
})

test('what was sealed into slots is opened again, joined', () => {
  fc.assert(
    fc.property(stamp, (seen) => {
      const opened = sealer.open(sealer.seal(seen, undefined, birth, false), birth)

      expect(opened).toMatchObject({ highest: seen.highest, touchedAt: seen.touchedAt })
      expect([...(opened?.dots ?? [])].sort((a, b) => a.actor - b.actor)).toEqual([...seen.dots].sort((a, b) => a.actor - b.actor))
    }),
  )
})

test('a token of another session, and a token with any bit changed, is worth nothing', () => {
  const [slot, token] = [...(sealer.seal({ highest: 1, touchedAt: 2, dots: [{ actor: 5, counter: 3 }] }, undefined, birth, false) ?? [])][0] ?? ['', '']

  expect(sealer.open(new Map([[slot, token]]), { actor: 1, counter: 1 })).toBeUndefined()
  const bytes = Buffer.from(token, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    expect(sealer.open(new Map([[slot, changed.toString('base64url')]]), birth)).toBeUndefined()
  }
})

test('only slots that say more than the browser knew are set again', () => {
  const before = { highest: 10, touchedAt: 0, dots: [{ actor: 4, counter: 3 }, { actor: 5, counter: 1 }] }
  const after = { highest: 12, touchedAt: 0, dots: [{ actor: 4, counter: 3 }, { actor: 5, counter: 2 }] }

  expect([...(sealer.seal(after, before, birth, false)?.keys() ?? [])]).toEqual(['5'])
  expect(sealer.seal(before, before, birth, false)).toBeUndefined()
})

test('what is lost is taken out of the slot that speaks of it', () => {
  const before = { highest: 10, touchedAt: 0, dots: [{ actor: 4, counter: 3 }] }

  const tokens = sealer.seal({ highest: 8, touchedAt: 0, dots: [] }, before, birth, true)

  expect(sealer.open(tokens, birth)).toEqual({ highest: 8, touchedAt: 0, dots: [] })
})

test('a claim is read without proof, and never moves the last access', () => {
  const tokens = sealer.seal({ highest: 10, touchedAt: 99, dots: [{ actor: 4, counter: 3 }] }, undefined, birth, false)

  expect(sealer.claim(tokens)).toEqual({ highest: 10, touchedAt: 0, dots: [{ actor: 4, counter: 3 }] })
})

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String({ maxLength: 200 })), (token) => {
      sealer.claim(new Map([['0', token]]))
      expect(sealer.open(new Map([['0', token]]), birth)).toBeUndefined()
    }),
  )
})

test('what was just opened for one session is still worth nothing for another', () => {
  const tokens = sealer.seal({ highest: 1, touchedAt: 2, dots: [{ actor: 5, counter: 3 }] }, undefined, birth, false)

  expect(sealer.open(tokens, birth)).toBeDefined()
  expect(sealer.open(tokens, { ...birth, counter: 8 })).toBeUndefined()
  expect(sealer.open(tokens, birth)).toMatchObject({ highest: 1, touchedAt: 2 })
})
