/** One run of the benchmark, from its command line to its exit code. */
import { resolve } from 'node:path'
import { loadConfigFile } from '../src/config/file.js'
import { writeCalibration } from './calibration-file.js'
import { helpText, readArguments, UsageError, type BenchArguments } from './arguments.js'
import { checkout, isInstalled, machineOf, redisVersion } from './machine.js'
import { Progress } from './progress.js'
import { QUESTIONS } from './questions/all.js'
import { writeReadme } from './report/readme.js'
import { writeReport } from './report/report.js'
import { ResultFile } from './result-file.js'
import type { BenchRun, Cell } from './results.js'
import { pinThisProcess } from './rig/pinning.js'
import { run, stepsOf, type Planned } from './run.js'
import { VARIANTS, variantOfConfig, type Variant } from './variants.js'

const Exit = { ok: 0, wrong: 1, usage: 64, interrupted: 130 } as const
const KNOWN = { questions: QUESTIONS, variants: VARIANTS }

export async function benchmark(args: readonly string[]): Promise<number> {
  try {
    const options = readArguments(args, KNOWN)
    if (options !== 'help') return await measure(options, args)
    process.stdout.write(helpText(KNOWN))
    return Exit.ok
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    tell(`bench: ${error.message}\nSee npm run bench -- --help.`)
    return Exit.usage
  }
}

async function measure(options: BenchArguments, args: readonly string[]): Promise<number> {
  const { seed, rounds, windowSeconds } = options
  const variants = await variantsFor(options)
  const plan = planOf(options, variants)
  const record = new Recorder(options, args, variants)
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort())
  const progress = new Progress(stepsOf(plan, rounds, seed), {
    write: (text) => process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
    hasColor: (process.env['NO_COLOR'] ?? '') === '',
    nowMs: () => performance.now(),
  })
  const cells = await run({
    plan,
    rounds,
    seed,
    windowSeconds,
    pinning: pinThisProcess(process.pid),
    cores: record.machine.cores,
    nowMs: () => performance.now(),
    signal: abort.signal,
    began: (step) => progress.began(step),
    measured: (soFar, step) => {
      progress.measured(step)
      record.write(soFar, true)
    },
  })
  progress.end()
  await publish(record.write(cells, abort.signal.aborted), record.path, options)
  if (abort.signal.aborted) return Exit.interrupted
  return tellWrong(cells) ? Exit.wrong : Exit.ok
}

/** The run so far, and its file. */
class Recorder {
  readonly #startedMs = performance.now()
  readonly #frame: Omit<BenchRun, 'seconds' | 'partial' | 'cells'>
  readonly #file: ResultFile

  constructor({ mode, seed, out }: BenchArguments, args: readonly string[], variants: readonly Variant[]) {
    this.#frame = {
      format: 1,
      startedAt: new Date().toISOString(),
      mode,
      seed,
      ...checkout(),
      command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
      machine: machineOf({ withRedis: variants.some(({ redis }) => redis) }),
    }
    this.#file = new ResultFile(resolve(out), this.#frame)
  }

  get machine(): BenchRun['machine'] {
    return this.#frame.machine
  }

  get path(): string {
    return this.#file.path
  }

  write(cells: readonly Cell[], partial: boolean): BenchRun {
    const seconds = Math.round((performance.now() - this.#startedMs) / 100) / 10
    const written: BenchRun = { ...this.#frame, seconds, partial, cells }
    this.#file.write(written)
    return written
  }
}

async function publish(finished: BenchRun, path: string, { out, readme }: BenchArguments): Promise<void> {
  const calibration = writeCalibration(finished, resolve(out))
  const written = [path, ...(calibration === undefined ? [] : [calibration]), ...(await writeReport(finished, resolve(out)))]
  if (readme) {
    await writeReadme(finished, resolve('README.md'))
    written.push(resolve('README.md'))
  }
  process.stdout.write(`${written.join('\n')}\n`)
}

/** Those that were asked for and can be measured here; what is left out is said. */
async function variantsFor({ backends, config }: BenchArguments): Promise<readonly Variant[]> {
  const wanted = VARIANTS.filter(({ name }) => backends === undefined || backends.includes(name))
  const own = config === undefined ? [] : [await ownVariant(resolve(config))]
  const hasRedis = redisVersion() !== ''
  return [...wanted, ...own].filter(({ name, redis, packages }) => {
    const missing = packages.filter((needed) => !isInstalled(needed))
    if (missing.length > 0) tell(`${name} is left out: npm install --no-save ${missing.join(' ')}`)
    else if (redis && !hasRedis) tell(`${name} is left out: there is no redis-server on the PATH`)
    return missing.length === 0 && (!redis || hasRedis)
  })
}

async function ownVariant(path: string): Promise<Variant> {
  return variantOfConfig(path, await loadConfigFile(path))
}

function planOf(options: BenchArguments, variants: readonly Variant[]): readonly Planned[] {
  const { only, mode, backends, nodes, windowSeconds } = options
  return QUESTIONS.filter(({ name }) => only.includes(name)).map((question) => {
    return { question, trials: question.plan({ mode, variants, chosen: backends !== undefined, nodes, windowSeconds }) }
  })
}

function tellWrong(cells: readonly Cell[]): boolean {
  const wrong = cells.filter(({ marks }) => marks.includes('wrong'))
  for (const { question, variant, settings, notes } of wrong) {
    tell(`WRONG ANSWERS: ${question} ${variant} ${JSON.stringify(settings)}: ${notes.join('; ')}`)
  }
  return wrong.length > 0
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}
