/**
 * Two ways to put a load on. Closed: so many at once, each as soon as the last is answered; says how much goes through.
 * Open: at a fixed rate, whatever the answers do; a latency counts from the moment the request was meant to leave, so
 * that a server which stalls cannot hide it by holding the load back.
 */
import type { LoadResult } from './load.js'
import type { Outcome } from './visitor.js'

export interface Clock {
  readonly nowMs: () => number
  /** Lets everything happen that is due, then calls back: a promise a turn was most of what the generator collected. */
  readonly turn: (then: () => void) => void
}

export const realClock: Clock = {
  nowMs: () => performance.now(),
  turn: (then) => void setImmediate(then),
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
  const goesOn = (): boolean => clock.nowMs() < untilMs && signal?.aborted !== true
  const work = async (worker: number): Promise<void> => {
    while (goesOn()) tally.add(await step(worker))
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

/** The intended moments are evenly spaced. It spins between them: give it a core of its own. */
export async function openLoop({ rate, seconds, send, record, signal }: OpenLoop, clock: Clock): Promise<LoadResult> {
  const tally = new Outcomes()
  const total = Math.round(rate * seconds)
  const startedMs = clock.nowMs()
  const underWay = new Set<Promise<void>>()
  let [firstMs, lastMs] = [Infinity, -Infinity]
  const sendAt = async (number: number, intendedMs: number): Promise<void> => {
    tally.add(await send(number))
    lastMs = clock.nowMs()
    firstMs = Math.min(firstMs, lastMs)
    record(lastMs - intendedMs)
  }
  for (let number = 0; number < total; number++) {
    const intendedMs = startedMs + (number * 1_000) / rate
    await until(clock, intendedMs)
    if (signal?.aborted === true) break
    const sent = sendAt(number, intendedMs)
    underWay.add(sent)
    void sent.finally(() => underWay.delete(sent))
  }
  await Promise.all(underWay)
  // As long as answers come at the rate of the requests, they span the time that these did, however late they are.
  return tally.result(Math.max(0, lastMs - firstMs) / 1_000)
}

/** Spins, for timers are late by up to a millisecond. */
export function until({ nowMs, turn }: Clock, momentMs: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => (nowMs() < momentMs ? turn(look) : resolve())
    look()
  })
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
