/** The command line of the benchmark, checked as a whole. */
import { cac } from 'cac'
import { BENCH_FLAGS } from '../src/cli/bench/flags.js'
import { didYouMean } from '../src/spelling.js'
import type { Mode } from './question.js'
import type { QuestionName } from './results.js'

export interface BenchArguments {
  readonly mode: Mode
  readonly only: readonly QuestionName[]
  /** Names of variants; undefined: all. */
  readonly backends: readonly string[] | undefined
  readonly nodes: readonly number[] | undefined
  readonly out: string
  readonly seed: number
  readonly rounds: number
  readonly windowSeconds: number
  readonly config: string | undefined
  readonly readme: boolean
}

export interface Known {
  readonly questions: readonly { readonly name: QuestionName; readonly title: string }[]
  readonly variants: readonly { readonly name: string; readonly title: string }[]
}

/** A command line that makes no sense: all that is wrong with it, in one line. */
export class UsageError extends Error {}

/** How often each mode asks, and for how long at a time. */
const MODES: Readonly<Record<Mode, { readonly rounds: number; readonly windowSeconds: number }>> = {
  quick: { rounds: 1, windowSeconds: 0.4 },
  standard: { rounds: 3, windowSeconds: 0.75 },
  full: { rounds: 3, windowSeconds: 1 },
}

const OF_QUICK: readonly QuestionName[] = ['http-cost', 'replication', 'staleness']
/** Says nothing by itself: it is for predictions (docs/advisor.md), and takes its time. */
const ONLY_OF_FULL: readonly QuestionName[] = ['calibration']
const OUT = 'bench/results'
const SEED_MAX = 2 ** 32 - 1
const NODES_MAX = 16

/** `help` where only that was asked for. */
export function readArguments(args: readonly string[], known: Known): BenchArguments | 'help' {
  const cli = cac('bench')
  for (const [flag, description] of BENCH_FLAGS) cli.option(flag, description)
  let parsed: { readonly args: readonly string[]; readonly options: Flags }
  try {
    parsed = cli.parse(['node', 'bench', ...args], { run: false })
    cli.globalCommand.checkOptionValue()
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.replaceAll('`', '') : String(error))
  }
  if (parsed.options['help'] === true || parsed.options['h'] === true) return 'help'
  const problems = [...parsed.args.map((word) => `${word} is no option`), ...unknownFlags(parsed.options)]
  const read = readFlags(parsed.options, known, problems)
  if (problems.length > 0) throw new UsageError(problems.join('; '))
  return read
}

/** What `--help` says. */
export function helpText({ questions, variants }: Known): string {
  const list = (rows: readonly (readonly [string, string])[]): string =>
    rows.map(([name, text]) => `  ${name.padEnd(20)} ${text}`).join('\n')
  return [
    'npm run bench -- [options]: measures session-mesh and others on this machine, with real processes.\n',
    list(BENCH_FLAGS),
    '\nQuestions (--only):',
    list(questions.map(({ name, title }) => [name, title])),
    '\nVariants (--backends):',
    list(variants.map(({ name, title }) => [name, title])),
    '',
  ].join('\n')
}

type Flags = Readonly<Record<string, unknown>>

function readFlags(flags: Flags, known: Known, problems: string[]): BenchArguments {
  const isQuick = flags['quick'] === true
  const isFull = flags['full'] === true
  if (isQuick && isFull) problems.push('--quick and --full exclude each other')
  const mode: Mode = isQuick ? 'quick' : isFull ? 'full' : 'standard'
  const questions = known.questions.map(({ name }) => name)
  const variants = known.variants.map(({ name }) => name)
  const ofMode = questions.filter((name) => {
    if (mode === 'full') return true
    return mode === 'quick' ? OF_QUICK.includes(name) : !ONLY_OF_FULL.includes(name)
  })
  const number = (name: string, min: number, max: number, isWhole = true): number | undefined =>
    numberOf(flags, name, { min, max, isWhole }, problems)
  return {
    mode,
    only: namesOf(flags, 'only', questions, problems) ?? ofMode,
    backends: namesOf(flags, 'backends', variants, problems),
    nodes: nodesOf(flags, problems),
    out: textOf(flags, 'out') ?? OUT,
    seed: number('seed', 0, SEED_MAX) ?? 1,
    rounds: number('rounds', 1, 100) ?? MODES[mode].rounds,
    windowSeconds: number('window', 0.05, 600, false) ?? MODES[mode].windowSeconds,
    config: textOf(flags, 'config'),
    readme: flags['readme'] === true,
  }
}

function unknownFlags(flags: Flags): readonly string[] {
  const known = BENCH_FLAGS.map(([flag]) => flag.split(' ')[0] ?? '')
  return Object.keys(flags).flatMap((name) => {
    const flag = name.length > 1 ? `--${name}` : `-${name}`
    const isKnown = ['--', 'help', 'h'].includes(name) || known.includes(flag)
    return isKnown ? [] : [`unknown option ${flag}${didYouMean(flag, known)}`]
  })
}

interface Range {
  readonly min: number
  readonly max: number
  readonly isWhole: boolean
}

function numberOf(flags: Flags, name: string, { min, max, isWhole }: Range, problems: string[]): number | undefined {
  const value = flags[name]
  if (value === undefined) return undefined
  const fits = typeof value === 'number' && value >= min && value <= max && (!isWhole || Number.isInteger(value))
  const kind = isWhole ? 'whole number' : 'number'
  if (!fits) problems.push(`--${name} must be a ${kind} from ${min} to ${max} (got ${JSON.stringify(value)})`)
  return Number(value)
}

/** Those of the candidates that are listed, in the candidates' order. */
function namesOf<T extends string>(
  flags: Flags,
  name: string,
  candidates: readonly T[],
  problems: string[],
): readonly T[] | undefined {
  const words = listOf(flags[name])
  const known = new Set<string>(candidates)
  for (const word of words ?? []) {
    if (!known.has(word)) problems.push(`--${name}: there is no ${word}${didYouMean(word, candidates)}`)
  }
  return words && candidates.filter((candidate) => words.includes(candidate))
}

function nodesOf(flags: Flags, problems: string[]): readonly number[] | undefined {
  const counts = listOf(flags['nodes'])?.map(Number)
  const isCount = (count: number): boolean => Number.isInteger(count) && count >= 1 && count <= NODES_MAX
  if (counts?.every(isCount) === false) problems.push(`--nodes must be whole numbers from 1 to ${NODES_MAX}`)
  return counts
}

function textOf(flags: Flags, name: string): string | undefined {
  const value = flags[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function listOf(value: unknown): readonly string[] | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  return String(value)
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}
