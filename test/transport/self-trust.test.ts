import { describe, expect, it } from 'vitest'
import { SelfTrust } from '../../src/transport/self-trust.js'

describe('how much a node distrusts itself', () => {
  it('is not at all while its ticks are on time', () => {
    const trust = new SelfTrust(250, 0)

    expect(trust.tick(250)).toBe(false)
    expect(trust.tick(510)).toBe(false)
    expect(trust.factor).toBeLessThan(1.02)
  })

  it('is at once as much as the tick is late, and wears off', () => {
    const trust = new SelfTrust(250, 0)

    expect(trust.tick(3_250)).toBe(true)
    expect(trust.factor).toBe(4)
    for (let now = 3_500; now < 14_000; now += 250) trust.tick(now)

    expect(trust.factor).toBeLessThan(1.05)
  })

  it('has a bound, and a clock that goes back changes nothing', () => {
    const trust = new SelfTrust(250, 1_000_000)

    expect(trust.tick(0)).toBe(false)
    expect(trust.factor).toBe(1)
    trust.tick(3_600_000)
    expect(trust.factor).toBe(8)
  })
})
