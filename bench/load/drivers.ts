/**
 * Two ways to put a load on. Closed: so many at once, each as soon as the last is answered; says how much goes through.
 * Open: at a fixed rate, whatever the answers do; a latency counts from the moment the request was meant to leave, so
 * that a server which stalls cannot hide it by holding the load back.
 */
import type { LoadResult } from './load.js'
import type { Outcome } from './visitor.js'

export interface Clock {
  readonly nowMs: () => number
  /** Lets everything happen that is due. */
  readonly turn: () => Promise<void>
}

export const realClock: Clock = {
  nowMs: () => performance.now(),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
}

export interface ClosedLoop {
  readonly workers: number
  readonly seconds: number
  readonly step: (worker: number) => Promise<Outcome>
  readonly signal?: AbortSignal
}

export async function closedLoop({ workers, seconds, step, signal }: ClosedLoop, clock: Clock): Promise<LoadResult> {
  const tally = new Outcomes()
  const startedMs = clock.nowMs()
  const untilMs = startedMs + seconds * 1_000
  const work = async (worker: number): Promise<void> => {
    while (clock.nowMs() < untilMs && signal?.aborted !== true) tally.add(await step(worker))
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))
  return tally.result((clock.nowMs() - startedMs) / 1_000)
}

export interface OpenLoop {
  /** Per second. */
  readonly rate: number
  readonly seconds: number
  /** Sends the request of that number; resolves when it is answered. */
  readonly send: (number: number) => Promise<Outcome>
  /** Told for every answer, milliseconds from the intended moment. */
  readonly record: (latencyMs: number) => void
  readonly signal?: AbortSignal
}

/**
 * The intended moments are evenly spaced. It spins instead of sleeping, for timers are late by up to a millisecond:
 * give it a core of its own.
 */
export async function openLoop({ rate, seconds, send, record, signal }: OpenLoop, clock: Clock): Promise<LoadResult> {
  const tally = new Outcomes()
  const total = Math.round(rate * seconds)
  const startedMs = clock.nowMs()
  let underWay = 0
  for (let number = 0; number < total && signal?.aborted !== true; number++) {
    const intendedMs = startedMs + (number * 1_000) / rate
    while (clock.nowMs() < intendedMs) await clock.turn()
    underWay++
    void send(number).then((outcome) => {
      underWay--
      tally.add(outcome)
      record(clock.nowMs() - intendedMs)
    })
  }
  while (underWay > 0) await clock.turn()
  return tally.result((clock.nowMs() - startedMs) / 1_000)
}

class Outcomes {
  readonly #counts: Record<Outcome, number> = { right: 0, stale: 0, wrong: 0, failed: 0 }

  add(outcome: Outcome): void {
    this.#counts[outcome]++
  }

  /** To a load, an older value than the last acknowledged one is a wrong answer. */
  result(seconds: number): LoadResult {
    const { right, stale, wrong, failed } = this.#counts
    return { operations: right + stale + wrong, wrong: stale + wrong, failed, seconds }
  }
}
