/**
 * Sessions without HTTP: the same orders for whatever keeps them, so that what is measured of a store is not drowned
 * by what a request costs. Values are made as a request would leave them: each a text of its own.
 */
import { randomBytes } from 'node:crypto'
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as turn, setTimeout as after } from 'node:timers/promises'
import type { Churning, Filling, Handlers } from './orders.js'
import { attributeName, textOf } from './text.js'

/** What keeps sessions, and what it calls one of them. */
export interface Keeper<Session> {
  /** `last`: of a batch; where others keep the session, too, resolves when they have it. */
  create(attributes: readonly Attribute[], last: boolean): Session | Promise<Session>
  write(session: Session, attribute: Attribute): unknown
}

export type Attribute = readonly [name: string, text: string]

const BATCH = 500
/**
 * So many of all sessions are written to later, evenly spread over them, and not more than one of ten: what is kept here to
 * write to them lies in the process whose memory is measured.
 */
const TARGETS_MAX = 10_000
const TARGET_EVERY_MIN = 10

export function keeperOrders<Session>(keeper: Keeper<Session>): Handlers {
  const targets: Session[] = []
  return {
    fill: async (filling) => await fill(keeper, filling, targets),
    churn: async (churning) => await churn(keeper, churning, targets),
  }
}

async function fill<Session>(
  keeper: Keeper<Session>,
  { sessions, attributes, bytes }: Filling,
  targets: Session[],
): Promise<number> {
  const startedMs = performance.now()
  const every = Math.max(TARGET_EVERY_MIN, Math.ceil(sessions / TARGETS_MAX))
  for (let from = 0; from < sessions; from += BATCH) {
    const to = Math.min(from + BATCH, sessions)
    const made: (Session | Promise<Session>)[] = []
    for (let i = from; i < to; i++) {
      const values = Array.from({ length: attributes }, (_, at) => [attributeName(at), ownText(i, bytes)] as const)
      made.push(keeper.create(values, i === to - 1))
    }
    for (const [i, session] of (await Promise.all(made)).entries()) if ((from + i) % every === 0) targets.push(session)
    await turn()
  }
  return (performance.now() - startedMs) / 1_000
}

async function churn<Session>(
  keeper: Keeper<Session>,
  { rate, seconds, bytes }: Churning,
  targets: readonly Session[],
): Promise<{ readonly writes: number; readonly pauses: readonly (readonly [number, number])[] }> {
  const pauses: (readonly [number, number])[] = []
  const startedMs = performance.now()
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) pauses.push([(startTime - startedMs) / 1_000, duration])
  })
  observer.observe({ entryTypes: ['gc'] })
  const writes = await paced({ rate, seconds }, (version) => {
    const target = targets[version % targets.length]
    if (target === undefined) throw new Error('fill before you write')
    return keeper.write(target, [attributeName(0), ownText(version, bytes)])
  })
  // What was noted by now is told with the next turns.
  await after(50)
  observer.disconnect()
  return { writes, pauses }
}

/** Calls `step` with 0, 1, 2, …, each at its moment or as soon as possible after it; how often it did. */
export async function paced(
  { rate, seconds }: Pick<Churning, 'rate' | 'seconds'>,
  step: (number: number) => unknown,
): Promise<number> {
  const startedMs = performance.now()
  const total = Math.round(rate * seconds)
  let done = 0
  while (done < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) * rate) / 1_000) + 1)
    const steps: unknown[] = []
    while (done < due) steps.push(step(done++))
    await Promise.all(steps)
    const nextMs = startedMs + (done * 1_000) / rate - performance.now()
    await (nextMs >= 1 ? after(nextMs) : turn())
  }
  return done
}

/** Flat and shared with nothing, as a text that came with a request: what `padEnd` makes may refer to its parts. */
export function ownText(version: number, bytes: number): string {
  return Buffer.from(textOf(version, bytes)).toString('latin1')
}

/** As long as those of express-session, and flat as well: a `randomUUID` that nobody reads keeps the 20 parts it is made of. */
export function ownId(): string {
  return randomBytes(24).toString('base64url')
}
