/**
 * Runs before each file of tests: watches the process it runs in, the logs and the metrics that would stay inside of
 * it, and sees that the processes it starts are watched as well.
 */
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { expect, vi } from 'vitest'
import type { Cluster } from '../../../src/cluster.js'
import type { Log } from '../../../src/log.js'
import { FOLDER, Paper, TEST } from './paper.js'
import { watchThisProcess } from './witness.js'

const ROOT = join(import.meta.dirname, '..', '..', '..')
/** Compiled, because plain Node.js cannot read TypeScript; tests that start processes need the build anyway. */
const CHILD = join(ROOT, 'dist', 'test', 'support', 'canary', 'child.js')

/** What the modules below are replaced with can reach this alone. */
const canary = vi.hoisted(() => ({
  log: (..._line: Parameters<Log>): void => {},
  cluster: (_closing: Cluster): void => {},
}))

// Logs that a test hands in, or that nobody reads: they are silent here, and must be harmless all the same.
vi.mock('../../../src/log.js', async (original) => ({
  ...(await original<typeof import('../../../src/log.js')>()),
  silent: ((...line) => canary.log(...line)) satisfies Log,
}))
vi.mock('../../../src/observe/log-sinks.js', async (original) => {
  const { openLog, ...rest } = await original<typeof import('../../../src/observe/log-sinks.js')>()
  const open: typeof openLog = (sink, otherwise) => {
    const log = openLog(sink, otherwise)
    return (...line) => {
      canary.log(...line)
      log(...line)
    }
  }
  return { ...rest, openLog: open }
})
vi.mock('../../../src/cluster.js', async (original) => {
  const { createCluster, ...rest } = await original<typeof import('../../../src/cluster.js')>()
  const create: typeof createCluster = async (...args) => {
    const cluster = await createCluster(...args)
    const close = cluster.close.bind(cluster)
    cluster.close = async () => {
      canary.cluster(cluster)
      await close()
    }
    return cluster
  }
  return { ...rest, createCluster: create }
})

const folder = process.env[FOLDER]
if (folder !== undefined) watch(folder)

function watch(papers: string): void {
  const { testPath = '' } = expect.getState()
  const file = relative(ROOT, testPath)
  const paper = new Paper(papers, () => [file, expect.getState().currentTestName].filter(Boolean).join(' › '))
  watchThisProcess(paper)
  watchConsole(paper)
  canary.log = (...[level, event, fields]) => paper.text('log', `${level} ${event} ${inspect(fields)}`)
  canary.cluster = (cluster) => {
    paper.text('metrics', inspect([cluster.metrics(), cluster.backend.health(), cluster.backend.counters()], { depth: 6 }))
  }
  process.env[TEST] = file
  const options = process.env['NODE_OPTIONS'] ?? ''
  if (existsSync(CHILD) && !options.includes(CHILD)) {
    process.env['NODE_OPTIONS'] = `${options} --import=${pathToFileURL(CHILD).href}`.trim()
  }
}

/** The runner has a console of its own, which does not end in this process's output. */
function watchConsole(paper: Paper): void {
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    const say = console[name].bind(console)
    console[name] = (...args: unknown[]) => {
      paper.text('output', args.map((arg) => (typeof arg === 'string' ? arg : inspect(arg))).join(' '))
      say(...args)
    }
  }
}
