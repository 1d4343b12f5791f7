import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Dialer } from '../../src/transport/dialer.js'
import { DEFAULT_BOUNDS } from '../../src/transport/limits.js'

describe('dialer', () => {
  const start = 1_000_000
  let dialledAt: number[]
  let dialer: Dialer
  beforeEach(() => {
    vi.useFakeTimers({ now: start })
    dialledAt = []
    dialer = new Dialer('127.0.0.1:1', () => dialledAt.push(Date.now() - start), () => 0.999_999, DEFAULT_BOUNDS)
  })
  afterEach(() => {
    dialer.stop()
    vi.useRealTimers()
  })

  it('waits 50, 100, 200 … 2,000 ms at most and half of that at least', () => {
    for (const [dice, share] of [[0, 0.5], [0.999_999, 1]] as const) {
      const at: number[] = []
      const one = new Dialer('x:1', () => at.push(Date.now()), () => dice, DEFAULT_BOUNDS)
      one.dialNow()
      for (let i = 0; i < 8; i++) {
        one.failed('unreachable')
        vi.runOnlyPendingTimers()
      }
      one.stop()

      const measured = at.slice(1).map((time, i) => time - at[i]!)
      const expected = [50, 100, 200, 400, 800, 1600, 2000, 2000].map((ms) => ms * share)
      measured.forEach((ms, i) => expect(Math.abs(ms - expected[i]!)).toBeLessThanOrEqual(1))
    }
  })

  it('dials at once when a link that had lasted is lost, and starts with the shortest wait again', () => {
    dialer.dialNow()
    for (let i = 0; i < 6; i++) {
      dialer.failed('unreachable')
      vi.runOnlyPendingTimers()
    }
    dialer.covered()
    const before = dialledAt.length

    dialer.lost(true)
    expect(dialledAt.length).toBe(before + 1)

    dialer.failed('unreachable')
    vi.advanceTimersByTime(50)
    expect(dialledAt.length).toBe(before + 2)
  })

  it('does not spin on a peer whose links never last', () => {
    dialer.dialNow()
    for (let now = 0; now < 10_000; now += 1) {
      dialer.covered()
      dialer.lost(false)
      vi.runOnlyPendingTimers()
      now = Date.now() - start
    }

    expect(dialledAt.length).toBeLessThan(15)
  })

  it('rests while somebody answers there, and tries its own address seldom', () => {
    dialer.dialNow()
    dialer.covered()
    dialer.failed('duplicate-link')
    vi.advanceTimersByTime(100_000)
    expect(dialledAt.length).toBe(1)

    dialer.lost(true)
    dialer.failed('self')
    vi.advanceTimersByTime(59_000)
    expect(dialledAt.length).toBe(2)
    vi.advanceTimersByTime(1_001)
    expect(dialledAt.length).toBe(3)
  })

  it('never dials after it was stopped', () => {
    dialer.dialNow()
    dialer.failed('unreachable')
    dialer.stop()
    dialer.dialNow()
    dialer.covered()
    dialer.lost(true)
    vi.advanceTimersByTime(100_000)

    expect(dialledAt.length).toBe(1)
  })
})
