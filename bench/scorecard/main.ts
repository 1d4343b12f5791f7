#!/usr/bin/env node
/** `npm run scorecard`: audits the stores people use and ours, and writes docs/store-scorecard.md. */
import { cac } from 'cac'
import expressSession from 'express-session'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { audit } from '../../src/auditor/audit.js'
import type { Column } from '../../src/auditor/scorecard.js'
import type { ExpressSession } from '../../src/auditor/store.js'
import { VERSION } from '../../src/version.js'
import { checkout, machineOf } from '../machine.js'
import { freePorts } from '../rig/free-ports.js'
import { RedisServer } from '../rig/redis-server.js'
import { scorecardPage } from './page.js'
import { candidates } from './stores.js'

const TRIALS = 1_000
const PAGE = 'docs/store-scorecard.md'

async function main(args: readonly string[]): Promise<void> {
  const cli = cac('scorecard').option('--trials <count>', `Of each race (${TRIALS})`).option('--out <file>', `(${PAGE})`)
  const { options } = cli.parse(['node', 'scorecard', ...args])
  const trials = Number(options['trials'] ?? TRIALS)
  const out = resolve(String(options['out'] ?? PAGE))
  const machine = machineOf({ withRedis: true })
  const { commit, dirty } = checkout()
  const [port = 0] = await freePorts(1)
  const redis = await RedisServer.start(port, [])
  try {
    const columns: Column[] = []
    for (const candidate of candidates(redis)) {
      const version = candidate.package === 'session-mesh' ? VERSION : machine.packages[candidate.package]
      process.stderr.write(`${candidate.title}\n`)
      const audited = await candidate.open()
      const findings = await audit(audited, {
        // Its types name the requests of Express.
        expressSession: expressSession as unknown as ExpressSession,
        trials,
        now: Date.now,
        wait: async (ms) => await new Promise((done) => void setTimeout(done, ms)),
        randomBytes,
      })
      await audited.close?.()
      columns.push({ title: `${candidate.title} (${version ?? 'unknown'})`, findings })
    }
    const at = new Date().toISOString()
    writeFileSync(out, scorecardPage(columns, { at, commit: dirty ? `${commit} with changes` : commit, machine, trials }))
    process.stdout.write(`${out}\n`)
  } finally {
    await redis.kill()
  }
}

main(process.argv.slice(2)).then(
  // memorystore keeps a timer for ever.
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  },
)
