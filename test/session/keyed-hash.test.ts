import { createHmac, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { KeyedHash } from '../../src/session/keyed-hash.js'
import { pooled } from '../../src/session/random-pool.js'

describe('a keyed hash', () => {
  test.each([0, 18, 30, 64, 1_024, 1_025, 16_384, 16_385, 100_000])('of %i bytes is the HMAC-SHA256 that Node makes', (bytes) => {
    for (const keyBytes of [1, 32, 64]) {
      const key = randomBytes(keyBytes)
      const keyed = new KeyedHash(key)
      for (const message of [randomBytes(bytes), Buffer.alloc(bytes, 0xff), randomBytes(bytes)]) {
        const hmac = createHmac('sha256', key).update(message).digest('hex')

        expect(keyed.digest(message).toString('hex')).toBe(hmac)
      }
    }
  })

  test('takes no more of a buffer than it is told to', () => {
    const [key, message] = [randomBytes(32), randomBytes(30)]

    const keyed = new KeyedHash(key)
    const all = keyed.digest(message).toString('hex')

    expect(keyed.digest(message).toString('hex')).toBe(all)
    expect(keyed.digest(message, 18).toString('hex')).toBe(createHmac('sha256', key).update(message.subarray(0, 18)).digest('hex'))
  })

  test('has no key that would have to be hashed first', () => {
    expect(() => new KeyedHash(randomBytes(65))).toThrow('invariant')
  })
})

describe('a pool of random bytes', () => {
  test('hands out every byte that was drawn once, and draws seldom', () => {
    const drawn: Buffer[] = []
    const draw = pooled((bytes) => {
      drawn.push(randomBytes(bytes))
      return drawn.at(-1) ?? Buffer.alloc(0)
    })

    const handed = Array.from({ length: 500 }, () => Buffer.from(draw(18)).toString('hex'))

    expect(drawn).toHaveLength(3)
    expect(new Set(handed).size).toBe(500)
    const perPool = Math.floor((drawn[0]?.length ?? 0) / 18)
    expect(handed.slice(0, perPool).join('')).toBe(drawn[0]?.subarray(0, perPool * 18).toString('hex'))
  })

  test('draws anew for more than it holds', () => {
    expect(pooled(randomBytes)(10_000)).toHaveLength(10_000)
  })
})
