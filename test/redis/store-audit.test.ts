import expressSession from 'express-session'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePorts } from '../../bench/rig/free-ports.js'
import { RedisServer } from '../../bench/rig/redis-server.js'
import { candidates } from '../../bench/scorecard/stores.js'
import { audit, CHECKS } from '../../src/auditor/audit.js'
import { gradeOf } from '../../src/auditor/scorecard.js'
import type { ExpressSession } from '../../src/auditor/store.js'

/** Whether a redirect is overtaken is a matter of luck on a Redis, and of express-session. */
const CERTAIN = CHECKS.filter(({ name }) => !name.startsWith('redirect'))
const RACES = ['lost-update', 'logout-revival', 'resave']

let redis: RedisServer

beforeAll(async () => {
  const [port = 0] = await freePorts(1)
  redis = await RedisServer.start(port, [])
})
afterAll(async () => await redis.kill())

async function brokenBy(title: string): Promise<readonly string[]> {
  const candidate = candidates(redis).find((each) => each.title === title)
  if (candidate === undefined) throw new Error(`${title} is no candidate`)
  const audited = await candidate.open()
  try {
    const findings = await audit(audited, {
      // Its types name the requests of Express.
      expressSession: expressSession as unknown as ExpressSession,
      trials: 25,
      checks: CERTAIN,
      now: Date.now,
      wait: async (ms) => await new Promise((resolve) => void setTimeout(resolve, ms)),
      randomBytes,
    })
    expect(findings.filter(({ outcome }) => gradeOf(outcome) === 'not-tried')).toEqual([])
    return findings.flatMap(({ check, outcome }) => (gradeOf(outcome) === 'failed' ? [check.name] : [])).sort()
  } finally {
    await audited.close?.()
  }
}

test('connect-redis loses what is concurrent, and waits for a Redis that is silent', async () => {
  expect(await brokenBy('connect-redis, two instances')).toEqual([...RACES, 'outage'].sort())
})

test('our store on the same Redis keeps it, and refuses meanwhile', async () => {
  expect(await brokenBy('SessionMeshStore, two nodes on Redis')).toEqual([])
})
