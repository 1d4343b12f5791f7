import { describe, expect, test } from 'vitest'
import { closedLoop, openLoop, type Clock } from '../../bench/load/drivers.js'
import { Latencies } from '../../bench/load/histogram.js'
import type { Outcome } from '../../bench/load/visitor.js'

/** Time that passes only when somebody waits: a tenth of a millisecond a turn. */
class FakeClock implements Clock {
  #ticks = 0
  readonly #waiting: { readonly tick: number; readonly wake: () => void }[] = []

  readonly nowMs = (): number => this.#ticks / 10

  readonly turn = (then: () => void): void => {
    this.pass()
    queueMicrotask(then)
  }

  pass(): void {
    this.#ticks++
    for (const due of this.#waiting.filter(({ tick }) => tick === this.#ticks)) due.wake()
  }

  /** Resolves at that moment, or at once where it has passed. */
  async at(ms: number): Promise<void> {
    const tick = Math.round(ms * 10)
    if (tick > this.#ticks) await new Promise<void>((wake) => this.#waiting.push({ tick, wake }))
  }
}

describe('an open loop', () => {
  test('sends evenly, and counts a latency from the intended moment', async () => {
    const clock = new FakeClock()
    const sentAt: number[] = []
    const latencies: number[] = []
    const send = async (): Promise<Outcome> => {
      sentAt.push(clock.nowMs())
      await clock.at(clock.nowMs() + 3)
      return 'right'
    }

    const running = openLoop({ rate: 1_000, seconds: 0.01, send, record: (ms) => latencies.push(ms) }, clock)
    const result = await untilDone(running, clock)

    expect(sentAt).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(latencies).toHaveLength(10)
    expect(Math.min(...latencies)).toBeGreaterThanOrEqual(3)
    expect(Math.max(...latencies)).toBeLessThan(3.5)
    expect(result).toMatchObject({ operations: 10, wrong: 0, failed: 0 })
    expect(result.seconds).toBeCloseTo(0.009)
  })

  test('hides no stall: what was due meanwhile is as late as it is', async () => {
    const clock = new FakeClock()
    const latencies = new Latencies()
    // A server that stops for 50 ms, and answers at once otherwise.
    const send = async (): Promise<Outcome> => {
      const now = clock.nowMs()
      if (now >= 20 && now < 70) await clock.at(70)
      return 'right'
    }

    const running = openLoop({ rate: 1_000, seconds: 0.1, send, record: latencies.record }, clock)
    await untilDone(running, clock)

    expect(latencies.count).toBe(100)
    expect(latencies.quantile(0.5)).toBeLessThan(1)
    expect(latencies.quantile(0.75)).toBeCloseTo(25, -0.5)
    expect(latencies.quantile(1)).toBeCloseTo(50, 0)
  })

  test('counts from the intended moment even where it could not send in time', async () => {
    const clock = new FakeClock()
    const latencies: number[] = []
    let first = true
    // The first request blocks the generator itself for 5 ms.
    const send = async (): Promise<Outcome> => {
      if (first) for (let i = 0; i < 50; i++) clock.pass()
      first = false
      return 'right'
    }

    await untilDone(openLoop({ rate: 1_000, seconds: 0.008, send, record: (ms) => latencies.push(ms) }, clock), clock)

    expect(latencies.map(Math.round)).toEqual([5, 4, 3, 2, 1, 0, 0, 0])
  })

  test('spans fewer operations than intended over more time where answers cannot keep up', async () => {
    const clock = new FakeClock()
    let free = 0
    // One at a time, 2 ms each: half of what is asked.
    const send = async (): Promise<Outcome> => {
      free = Math.max(free, clock.nowMs()) + 2
      await clock.at(free)
      return 'right'
    }

    const running = openLoop({ rate: 1_000, seconds: 0.1, send, record: () => {} }, clock)
    const { operations, seconds } = await untilDone(running, clock)

    expect(operations / seconds).toBeCloseTo(500, -1.5)
  })
})

describe('a closed loop', () => {
  test('sends as many at once as it has workers, each as soon as its last is answered', async () => {
    const clock = new FakeClock()
    let [underWay, most] = [0, 0]
    const step = async (): Promise<Outcome> => {
      most = Math.max(most, ++underWay)
      await clock.at(clock.nowMs() + 2)
      underWay--
      return 'right'
    }

    const result = await untilDone(closedLoop({ workers: 4, seconds: 0.1, step }, clock), clock)

    expect(most).toBe(4)
    expect(result).toEqual({ operations: 200, wrong: 0, failed: 0, seconds: 0.1 })
  })

  test('tells wrong answers from failed requests; a stale one is wrong', async () => {
    const clock = new FakeClock()
    const outcomes: readonly Outcome[] = ['right', 'stale', 'wrong', 'failed']
    let next = 0
    const step = async (): Promise<Outcome> => {
      await clock.at(clock.nowMs() + 1)
      return outcomes[next++ % outcomes.length] ?? 'right'
    }

    const result = await untilDone(closedLoop({ workers: 1, seconds: 0.04, step }, clock), clock)

    expect(result).toMatchObject({ operations: 30, wrong: 20, failed: 10 })
  })
})

/** Lets time pass until it is done. */
async function untilDone<T>(running: Promise<T>, clock: FakeClock): Promise<T> {
  const progress = { isDone: false }
  void running.finally(() => (progress.isDone = true))
  while (!progress.isDone) {
    // Everything that woke up goes on before the next moment.
    await new Promise((resolve) => setImmediate(resolve))
    clock.pass()
  }
  return await running
}
