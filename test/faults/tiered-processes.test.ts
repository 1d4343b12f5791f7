/** Three processes with memory before a Redis: what is left when either is killed. */
import { afterEach, expect, test } from 'vitest'
import { openBackend } from '../redis/support.js'
import { Crowd } from '../support/crowd.js'
import { report, spread } from '../support/load.js'
import { Members, type Member } from '../support/members.js'
import { RedisServer, type Setting } from '../support/redis.js'

const KILLS = Number(process.env['KILLS'] ?? 10)
/** New sessions per second on each node. */
const RATE = Number(process.env['RATE'] ?? 100)
const OUTAGE_MS = 5_000
const SOON = { timeout: 20_000 }

let redis: RedisServer
let members: Members
afterEach(async () => {
  await members.stop()
  await redis.stop()
})

async function start(settings: readonly Setting[] = [], flushInterval = 100): Promise<void> {
  redis = await RedisServer.start(settings)
  const far = { type: 'redis', port: redis.port } as const
  members = await Members.start({ size: 3, config: { backend: { type: 'tiered', far, flushInterval } } })
}

/** All nodes die while all of them write; answers what was acknowledged, how long before, and is lost. */
async function killAll(flushMs: number): Promise<{ acknowledged: number; older: number; lostOlder: number; lostAges: readonly number[] }> {
  for (const member of members.members) {
    member.acknowledged.length = 0
    void member.ask({ type: 'write', rate: RATE, seconds: 30, acks: 'async' }).catch(() => {})
  }
  /** How many were acknowledged at which moment. */
  const heard: { readonly at: number; readonly counts: readonly number[] }[] = []
  const listen = (): void => {
    heard.push({ at: performance.now(), counts: members.members.map(({ acknowledged }) => acknowledged.length) })
  }
  const listening = setInterval(listen, 5)
  await expect.poll(() => members.members.every(({ acknowledged }) => acknowledged.length > RATE * 2), SOON).toBe(true)
  clearInterval(listening)
  listen()
  const killedAt = performance.now()
  await Promise.all(members.members.map((member) => member.kill()))
  const written = members.members.map(({ acknowledged }) => [...acknowledged])
  await Promise.all(members.members.map((member) => member.start()))
  await Promise.all(members.members.map((member) => member.ready()))

  const ageOf = (node: number, index: number): number => {
    const first = heard.find(({ counts }) => (counts[node] ?? 0) > index)
    return first === undefined ? 0 : killedAt - first.at
  }
  const ages = written.flatMap((ids, node) => ids.map((id, index) => ({ id, age: ageOf(node, index) })))
  const missing = new Set(await members.member(0).ask<readonly string[]>({ type: 'missing', ids: ages.map(({ id }) => id) }))
  const lost = ages.filter(({ id }) => missing.has(id)).map(({ age }) => age)
  const isOlder = (age: number): boolean => age > flushMs
  const older = ages.filter(({ age }) => isOlder(age)).length
  return { acknowledged: ages.length, older, lostOlder: lost.filter(isOlder).length, lostAges: lost }
}

test.each([100, 1_000])(`all nodes killed -9 at once, ${KILLS} times: no session older than a flush of %d ms is lost`, async (flushMs) => {
  await start([], flushMs)
  const totals = { acknowledged: 0, older: 0, lostOlder: 0 }
  const ages: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    const { lostAges, ...counts } = await killAll(flushMs)
    totals.acknowledged += counts.acknowledged
    totals.older += counts.older
    totals.lostOlder += counts.lostOlder
    ages.push(...lostAges)
  }
  report(`all nodes killed ${KILLS} times at ${3 * RATE} new sessions/s, flush every ${flushMs} ms`, totals)
  report('lost of the younger ones, and their ages in ms', { lost: ages.length, ...spread(ages) })
  expect(totals.older).toBeGreaterThan(KILLS * RATE * 2)
  expect(totals.lostOlder).toBe(0)
})

const RETURNS: readonly [how: string, settings: readonly Setting[]][] = [
  ['empty', []],
  ['with what it had', [['appendonly', 'yes'], ['appendfsync', 'always']]],
]

test.each(RETURNS)('Redis is killed -9 under load and comes back %s: no request fails, both sides agree', async (how, settings) => {
  await start(settings)
  const crowd = new Crowd({ browsers: 200, thinkMs: 500, principals: true })
  for (const [node, { port }] of members.members.entries()) crowd.admit(node, port)
  await crowd.logIn()
  crowd.stroll()
  await expect.poll(() => crowd.counts.requests, SOON).toBeGreaterThan(400)
  await crowd.logOut(0, 10)

  await redis.kill()
  const killedAt = performance.now()
  await expect.poll(() => farUp(members.members), SOON).toEqual([0, 0, 0])
  await crowd.logOut(10, 30)
  const before = crowd.counts.requests
  await expect.poll(() => performance.now() - killedAt, SOON).toBeGreaterThan(OUTAGE_MS)
  const during = crowd.counts.requests - before
  await redis.start()
  const startedAt = performance.now()
  await expect.poll(() => farUp(members.members), SOON).toEqual([1, 1, 1])
  report('Redis taken back after, ms', Math.round(performance.now() - startedAt))
  await crowd.logOut(30, 40)
  await crowd.rest()

  const there = await openBackend({ port: redis.port }, { prefix: 'session-mesh' })
  const digests = async (): Promise<readonly string[]> => {
    return await Promise.all([...members.members.map((member) => member.ask<string>({ type: 'digest' })), there.digest()])
  }
  await expect.poll(digests, SOON).toSatisfy((all) => new Set(all).size === 1)
  report('digests of three nodes and Redis', (await digests()).join(' '))
  await there.close()
  const unknown = await sumOf(members.members, 'session_mesh_far_outcome_unknown_total')
  await crowd.count()
  const revived = await crowd.revived()
  report(`Redis killed for ${OUTAGE_MS / 1_000} s, back ${how}`, { ...crowd.figures(), during, unknown, revived })
  expect(during).toBeGreaterThan(400)
  expect({ ...crowd.counts, revived }).toMatchObject({ failed: 0, retried: 0, loggedOut: 0, lost: 0, revived: 0 })
})

async function farUp(all: readonly Member[]): Promise<readonly (number | undefined)[]> {
  return await Promise.all(all.map(async (member) => (await countersOf(member))['session_mesh_far_up']))
}

async function sumOf(all: readonly Member[], name: string): Promise<number> {
  const counters = await Promise.all(all.map(countersOf))
  return counters.reduce((sum, each) => sum + (each[name] ?? 0), 0)
}

async function countersOf(member: Member): Promise<Readonly<Record<string, number>>> {
  return await member.ask({ type: 'counters' })
}
