#!/usr/bin/env node
/** `npm run bench`: asks the questions of `bench/questions/` and writes down what was measured. */
import { resolve } from 'node:path'
import { readArguments, UsageError, type BenchArguments } from './arguments.js'
import { checkout, isInstalled, machineOf, redisVersion } from './machine.js'
import { Progress } from './progress.js'
import { QUESTIONS } from './questions/all.js'
import { ResultFile } from './result-file.js'
import type { BenchRun, Cell } from './results.js'
import { pinThisProcess } from './rig/pinning.js'
import { run, stepsOf, type Planned } from './run.js'
import { VARIANTS, variantOfConfig, type Variant } from './variants.js'

const EXIT = { ok: 0, wrong: 1, usage: 64, interrupted: 130 } as const

async function main(args: readonly string[]): Promise<number> {
  const options = readArguments(args, { questions: QUESTIONS, variants: VARIANTS }, (text) => process.stdout.write(text))
  if (options === undefined) return EXIT.ok
  const variants = variantsFor(options)
  const plan = planOf(options, variants)
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort())

  const startedMs = performance.now()
  const frame: Omit<BenchRun, 'seconds' | 'partial' | 'cells'> = {
    format: 1,
    startedAt: new Date().toISOString(),
    mode: options.mode,
    seed: options.seed,
    ...checkout(),
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    machine: machineOf({ withRedis: variants.some(({ redis }) => redis) }),
  }
  const file = new ResultFile(resolve(options.out), frame)
  const runOf = (cells: readonly Cell[], partial: boolean): BenchRun => {
    return { ...frame, seconds: Math.round((performance.now() - startedMs) / 100) / 10, partial, cells }
  }
  const progress = new Progress(stepsOf(plan, options.rounds, options.seed), {
    write: (text) => process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
    hasColor: (process.env['NO_COLOR'] ?? '') === '',
    nowMs: () => performance.now(),
  })
  const cells = await run({
    plan,
    rounds: options.rounds,
    seed: options.seed,
    windowSeconds: options.windowSeconds,
    pinning: pinThisProcess(process.pid),
    cores: frame.machine.cores,
    nowMs: () => performance.now(),
    signal: abort.signal,
    began: (step) => progress.began(step),
    measured: (measured, step) => {
      progress.measured(step)
      file.write(runOf(measured, true))
    },
  })
  progress.end()
  const finished = runOf(cells, abort.signal.aborted)
  file.write(finished)
  process.stdout.write(`${file.path}\n`)
  if (abort.signal.aborted) return EXIT.interrupted
  return tellWrong(cells) ? EXIT.wrong : EXIT.ok
}

/** Those that were asked for and can be measured here; what is left out is said. */
function variantsFor({ backends, config }: BenchArguments): readonly Variant[] {
  const all = config === undefined ? VARIANTS : [...VARIANTS, variantOfConfig(resolve(config))]
  const wanted = all.filter(({ name }) => backends === undefined || backends.includes(name) || name === 'yours')
  const hasRedis = redisVersion() !== ''
  return wanted.filter(({ name, redis, packages }) => {
    const missing = packages.filter((wantedPackage) => !isInstalled(wantedPackage))
    if (missing.length > 0) tell(`${name} is left out: npm install --no-save ${missing.join(' ')}`)
    else if (redis && !hasRedis) tell(`${name} is left out: there is no redis-server on the PATH`)
    return missing.length === 0 && (!redis || hasRedis)
  })
}

function planOf({ only, mode, nodes, windowSeconds }: BenchArguments, variants: readonly Variant[]): readonly Planned[] {
  return QUESTIONS.filter(({ name }) => only.includes(name)).map((question) => {
    return { question, trials: question.plan({ mode, variants, nodes, windowSeconds }) }
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

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    if (error instanceof UsageError) tell(`bench: ${error.message}\nSee npm run bench -- --help.`)
    else tell(error instanceof Error ? (error.stack ?? error.message) : String(error))
    process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.wrong
  },
)
