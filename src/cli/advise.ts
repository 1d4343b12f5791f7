import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import type { CAC } from 'cac'
import { advise as adviseFor, type Question } from '../advisor/advise.js'
import { calibrate, type Calibration } from '../advisor/calibrate.js'
import type { Load } from '../advisor/load.js'
import { readRunFile } from '../advisor/run-file.js'
import { liveLoad } from './advise/live-load.js'
import { adviseOptions, type AdviseOptions, type Flags } from './advise/options.js'
import { render, renderTerms } from './advise/render.js'
import { CliError, Exit, type ExitCode } from './exit.js'
import type { CliIo } from './io.js'
import { paintFor } from './paint.js'

/** Made by `npm run bench` of a run that calibrated, and shipped with the package. */
const SHIPPED = 'bench/results/calibration.json'

const DEFAULTS: Load = {
  sessions: 0,
  bytes: 1_000,
  changeBytes: 100,
  rate: 0,
  writes: 0.1,
  nodes: 3,
  rttMs: 0.5,
  acks: 'async',
}

/** `advise`: what sessions would cost, kept in each of the ways, and which is the cheapest that does. */
export function register(cli: CAC, io: CliIo): void {
  cli
    .command('advise', 'Predict what a load costs replicated and in Redis, and say which suits it')
    .option('--sessions <count>', 'Sessions alive at once, such as 200k')
    .option('--bytes <size>', 'Of one session (1k)')
    .option('--change <size>', 'Of what one write changes (100)')
    .option('--rate <count>', 'Requests per second over all nodes')
    .option('--writes <share>', 'Share of requests that change their session (0.1)')
    .option('--nodes <count>', 'Processes that serve (3)')
    .option('--rtt <ms>', 'From one machine to another and back (0.5)')
    .option('--acks <level>', 'Only replication with these: async, one, quorum, all')
    .option('--without-stamps', 'Browsers do not carry what they have seen')
    .option('--limit-p99 <ms>', 'No candidate with a slower p99')
    .option('--limit-stale <share>', 'No candidate with more requests that meet an older copy')
    .option('--limit-memory <size>', 'No candidate with more memory for sessions on a node')
    .option('--core-memory <size>', 'So much memory costs as much as a core (4gib)')
    .option('--nodes-max <count>', 'Where to stop looking for the crossing (100)')
    .option('--from <host:port>', "Take the load of a running member: its configuration's admin.listen")
    .option('--for <duration>', 'How long to watch it (5s)')
    .option('--calibration <file>', 'A run of the benchmark on your machine (the one that came with the package)')
    .option('--explain', 'Every term, its coefficient, and the measured loads that it comes from')
    .action(async (flags: Flags) => await advise(adviseOptions(flags), io))
}

async function advise(options: AdviseOptions, io: CliIo): Promise<ExitCode> {
  const calibration = readCalibration(options.calibration, io)
  const question: Question = { ...options.question, load: await loadFor(options) }
  const advice = adviseFor(calibration, question)
  if (options.json) {
    const { run, misses, visibleMs, cells } = calibration
    io.stdout.write(`${JSON.stringify({ calibration: { ...run, cells, misses, visibleMs }, ...advice })}\n`)
  } else {
    const paint = paintFor(io.stdout, io.environment.variables)
    io.stdout.write(render(advice, calibration, paint))
    if (options.explain) io.stdout.write(`\n${renderTerms(advice, calibration, paint)}`)
  }
  return Exit.ok
}

/** What the command line says wins over what the member counts. */
async function loadFor({ from, watchMs, given }: AdviseOptions): Promise<Load> {
  const live = from === undefined ? {} : await liveLoad(from, watchMs)
  const load = { ...DEFAULTS, ...live, ...given }
  if (load.sessions === 0 || load.rate === 0) {
    const what = load.sessions === 0 ? 'holds no sessions: give --sessions' : 'had no requests with a session: give --rate'
    throw new CliError(Exit.unavailable, 'SESSION_MESH_UNAVAILABLE', `${from ?? 'the load'} ${what}`)
  }
  return { ...load, changeBytes: Math.min(load.changeBytes, load.bytes) }
}

function readCalibration(given: string | undefined, io: CliIo): Calibration {
  const path = given === undefined ? shippedPath() : resolve(io.cwd, given)
  const fail = (what: string): CliError => new CliError(Exit.noInput, 'SESSION_MESH_CALIBRATION', `${path} ${what}`)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw fail('cannot be read: make one with npm run bench -- --only calibration,memory,replication')
  }
  const run = readRunFile(text)
  if (typeof run === 'string') throw fail(`is no run of the benchmark (${run})`)
  const calibration = calibrate(run)
  if (calibration.cells.used === 0) throw fail('has no usable cells: ask the benchmark for calibration')
  return calibration
}

function shippedPath(): string {
  const root = dirname(createRequire(import.meta.url).resolve('session-mesh/package.json'))
  return join(root, SHIPPED)
}
