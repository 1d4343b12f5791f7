/** The primary of a Redis with Sentinels dies under load: what is acknowledged, what fails, and for how long. */
import { afterEach, expect, it } from 'vitest'
import { report, spread } from '../support/load.js'
import { until } from '../support/redis.js'
import { startSentinels, type RedisWithSentinels } from '../support/redis-sentinel.js'
import type { SessionBackend } from '../../src/backend/backend.js'
import { memory, tiered } from '../backend/tiered/support.js'
import { backendOf, delta, LIVES, load, valuesOf } from '../redis/support.js'

let redis: RedisWithSentinels | undefined
afterEach(async () => {
  await redis?.stop()
})

const NAME = '%s: every call answers, writes go on by themselves, none that was confirmed is lost'

it.each(['kill -9', 'a host that vanishes'])(NAME, async (fault) => {
  redis = await startSentinels(1_000)
  const [old] = redis.servers
  const target = { sentinels: redis.sentinels.map((sentinel) => sentinel.address) }
  const backend = backendOf(target, { timeoutMs: 1_000 })
  await backend.open()
  const confirmed = new Map<string, number>()
  const waits: number[] = []
  let [failed, writes, wroteAt, gapMs] = [0, 0, performance.now(), 0]
  const traffic = { isOver: false }

  const lane = async (): Promise<void> => {
    for (let n = 1; !traffic.isOver; n++) {
      const from = performance.now()
      try {
        const { id, ref, outcome } = await backend.create(delta({ n }), { ...LIVES, acks: 'one', withinMs: 500 })
        const saved = await backend.save(ref, delta({ n: n + 1 }), { acks: 'one', withinMs: 500 })
        writes++
        if (outcome === 'done' && saved.outcome === 'done') confirmed.set(id, n + 1)
        gapMs = Math.max(gapMs, performance.now() - wroteAt)
        wroteAt = performance.now()
      } catch {
        failed++
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      waits.push(performance.now() - from)
    }
  }
  const lanes = Array.from({ length: 10 }, lane)
  await until(() => Promise.resolve(confirmed.size > 500))
  const before = await redis.primary()
  if (fault === 'kill -9') await old?.kill()
  else old?.freeze(true)
  const confirmedBefore = confirmed.size
  await until(async () => (await redis?.primary()) !== before, 30_000)
  const writesBefore = writes
  await until(() => Promise.resolve(writes > writesBefore + 50), 30_000)
  // The survivor has no replica: 'one' is never confirmed from here on, and that is said.
  await until(() => Promise.resolve((backend.counters()['session_mesh_outcome_unknown_total'] ?? 0) > 5), 30_000)
  traffic.isOver = true
  await Promise.all(lanes)

  let lost = 0
  for (const [id, n] of [...confirmed].slice(0, confirmedBefore)) {
    const found = await load(backend, id)
    if (found.state !== 'found' || (await valuesOf(backend, id))['n'] !== n) lost++
  }
  const figures = { confirmed: confirmedBefore, lost, failed, gapMs: Math.round(gapMs), waits: spread(waits) }
  report(`primary, ${fault}`, figures)
  expect(lost).toBe(0)
  // Two calls a lane, each within its deadline and the wait for the replica.
  expect(Math.max(...waits)).toBeLessThan(2 * 1_500 + 500)
  await backend.close()
})

const RATE = 500
const AFTERWARDS_MS = 3_000

it.each(['plain', 'tiered'])(`at ${RATE} writes/s, %s, the primary is killed -9: what callers see`, async (how) => {
  redis = await startSentinels(1_000)
  const [old] = redis.servers
  const far = backendOf({ sentinels: redis.sentinels.map((sentinel) => sentinel.address) }, { timeoutMs: 1_000 })
  const backend: SessionBackend = how === 'plain' ? far : tiered(memory(Date.now), far, { now: Date.now } as never)
  await backend.open()
  await backend.ready()
  const refs = await Promise.all(Array.from({ length: 100 }, async () => (await backend.create(delta({}), LIVES)).ref))
  const counts = { writes: 0, failed: 0, unknown: 0, gone: 0 }
  const waits: number[] = []
  let [gapMs, wroteAt] = [0, performance.now()]

  const write = async (n: number): Promise<void> => {
    const from = performance.now()
    counts.writes++
    try {
      const { outcome } = await backend.save(refs[n % refs.length] ?? { actor: 0, counter: 0 }, delta({ n }), {})
      if (outcome === 'done') {
        gapMs = Math.max(gapMs, performance.now() - wroteAt)
        wroteAt = performance.now()
      } else counts[outcome]++
    } catch {
      counts.failed++
    }
    waits.push(performance.now() - from)
  }
  const underWay: Promise<void>[] = []
  const startedAt = performance.now()
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * RATE
    while (underWay.length < due) underWay.push(write(underWay.length))
  }, 2)
  await until(() => Promise.resolve(counts.writes > RATE))
  const before = await redis.primary()
  await old?.kill()
  await until(async () => (await redis?.primary()) !== before, 30_000)
  await until(() => Promise.resolve(far.counters()['session_mesh_redis_up'] === 1), 30_000)
  const stopsAt = performance.now() + AFTERWARDS_MS
  await until(() => Promise.resolve(performance.now() > stopsAt))
  clearInterval(timer)
  await Promise.all(underWay)

  report(`primary killed -9 at ${RATE} writes/s, ${how}`, { ...counts, gapMs: Math.round(gapMs), waits: spread(waits) })
  expect(counts.writes).toBeGreaterThan(3 * RATE)
  if (how === 'tiered') expect(counts).toMatchObject({ failed: 0, unknown: 0 })
  // Whatever failed was told within its deadline.
  expect(Math.max(...waits)).toBeLessThan(3_000)
  await backend.close()
})
