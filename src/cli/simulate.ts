import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { CAC } from 'cac'
import { describeTotals, shrink, type SeedResult, type Shrunk, type Totals } from '../simulator/index.js'
import { VERSION } from '../version.js'
import { Exit } from './exit.js'
import type { CliIo } from './io.js'
import { paintFor, type Paint } from './paint.js'
import { BatchRun } from './simulate/batch-run.js'
import { Ledger } from './simulate/ledger.js'
import { DEFAULT_LEDGER, simulateOptions, type Flags, type SimulateOptions } from './simulate/options.js'

const SHRINK_ATTEMPTS = 150
const TRANSCRIPT_LINES = 120
const FAILED = 1

/** `simulate`: many clusters in virtual time, with faults, and every promise of the protocol checked at every step. */
export function register(cli: CAC, io: CliIo): void {
  cli
    .command('simulate', 'Simulate clusters with faults and check every promise of the protocol')
    .option('--nodes <count>', 'Nodes per cluster (5)')
    .option('--seed <seed>', 'One seed')
    .option('--seeds <count>', 'So many seeds (20)')
    .option('--from <seed>', 'The first of them (1, or where the ledger ends)')
    .option('--minutes <minutes>', 'Simulated time per seed (10)')
    .option('--workers <count>', 'Seeds at one time (one per core)')
    .option('--stamps <on|off>', 'Whether browsers carry stamps; off measures what they are good for (on)')
    .option('--resume [file]', `Go on where this ledger ends, and add to it (${DEFAULT_LEDGER})`)
    .action(async (flags: Flags) => await run(simulateOptions(flags, availableParallelism()), io))
}

async function run(options: SimulateOptions, io: CliIo): Promise<number> {
  const paint = paintFor(io.stdout, io.environment.variables)
  const ledger = options.resume === undefined ? undefined : new Ledger(absolute(options.resume, io.cwd))
  const from = options.from ?? ledger?.nextSeed(options) ?? 1
  const commit = currentCommit()
  const progress = new Progress(options, io)
  const batch = new BatchRun(options, from, ledger, {
    now: io.environment.now,
    commit,
    progress: (done) => progress.show(done),
  })
  let interrupted = false
  const forget = io.onSignal('SIGINT', () => {
    interrupted = true
    batch.stop()
  })
  try {
    await batch.run()
  } finally {
    forget()
    progress.clear()
  }

  const failure =
    batch.failure === undefined ? undefined : { result: batch.failure, shrunk: shrinkFailure(batch.failure) }
  const outcome = { commit, from, options, totals: batch.totals, ledger: ledger?.total(options), failure }
  if (options.json) io.stdout.write(`${JSON.stringify(outcome)}\n`)
  else print(outcome, paint, io)
  if (failure !== undefined) return FAILED
  return interrupted ? Exit.interrupted : Exit.ok
}

interface Outcome {
  readonly commit: string
  readonly from: number
  readonly options: SimulateOptions
  readonly totals: Totals
  readonly ledger: Totals | undefined
  readonly failure: { readonly result: SeedResult; readonly shrunk: Shrunk | undefined } | undefined
}

function shrinkFailure({ plan }: SeedResult): Shrunk | undefined {
  return shrink(plan, { attemptsMax: SHRINK_ATTEMPTS, traceLines: TRANSCRIPT_LINES })
}

function print({ commit, from, options, totals, ledger, failure }: Outcome, paint: Paint, io: CliIo): void {
  const last = from + totals.seeds - 1
  const what = totals.seeds === 1 ? `seed ${from}` : `seeds ${from} to ${last}`
  io.stdout.write(`${what}, ${options.nodes} nodes, ${options.minutes} min each, at ${commit}\n`)
  printTotals(totals, paint, io)
  if (ledger !== undefined) {
    io.stdout.write(`\nall of ${options.resume ?? ''}\n`)
    printTotals(ledger, paint, io)
  }
  if (failure === undefined) return
  const { result, shrunk } = failure
  io.stdout.write(
    `\n${paint('red', 'FAILED')} seed ${result.seed} at ${commit}: ${result.failure?.message ?? ''}\n`,
  )
  if (shrunk === undefined) return
  const { plan } = shrunk
  const kinds = plan.faults.map(({ kind }) => kind).join(', ') || 'no faults'
  const size = `${plan.nodes} nodes, ${plan.browsers} browsers, ${Math.round(plan.durationMs / 1000)} s, ${kinds}`
  io.stdout.write(`smallest found in ${shrunk.attempts} attempts: ${size}\n${shrunk.failure.message}\n\n`)
  for (const line of shrunk.failure.transcript) io.stdout.write(`${line}\n`)
  const again = `--seed ${result.seed} --nodes ${options.nodes} --minutes ${options.minutes}${options.stamps ? '' : ' --stamps off'}`
  io.stdout.write(`\nagain: session-mesh simulate ${again}\n`)
}

function printTotals(totals: Totals, paint: Paint, io: CliIo): void {
  for (const [name, text] of describeTotals(totals)) io.stdout.write(`  ${paint('dim', name.padEnd(16))} ${text}\n`)
}

/** One line that is overwritten, for people at a terminal. */
class Progress {
  readonly #io: CliIo
  readonly #seeds: number
  readonly #isShown: boolean
  readonly #startedAt: number

  constructor(options: SimulateOptions, io: CliIo) {
    this.#io = io
    this.#seeds = options.seeds
    this.#isShown = io.stdout.isTTY === true && !options.json && options.seeds > 1
    this.#startedAt = io.environment.now()
  }

  show(done: number): void {
    if (!this.#isShown) return
    const passedMs = this.#io.environment.now() - this.#startedAt
    const leftS = Math.round(((passedMs / done) * (this.#seeds - done)) / 1000)
    this.#io.stdout.write(`\r${done} of ${this.#seeds} seeds, ${leftS} s left    `)
  }

  clear(): void {
    if (this.#isShown) this.#io.stdout.write(`\r${' '.repeat(60)}\r`)
  }
}

/** The commit that this file was built from, if it lies in a checkout of this project; else the version. */
function currentCommit(): string {
  const cwd = import.meta.dirname
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    if (!existsSync(join(git('rev-parse', '--show-toplevel'), 'src/simulator'))) return VERSION
    const isDirty = git('status', '--porcelain', '--untracked-files=no', ':/src') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${isDirty ? '+' : ''}`
  } catch {
    return VERSION
  }
}

function absolute(path: string, cwd: string): string {
  return isAbsolute(path) ? path : join(cwd, path)
}
