/** The command line of the benchmark, checked as a whole. */
import { cac } from 'cac'
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

/** A command line that makes no sense: told in one line, exit code 64. */
export class UsageError extends Error {}

/** What each mode asks, how often, and how long one window is. */
export const MODES: Readonly<Record<Mode, { readonly rounds: number; readonly windowSeconds: number }>> = {
  quick: { rounds: 1, windowSeconds: 1.2 },
  standard: { rounds: 3, windowSeconds: 1 },
  full: { rounds: 3, windowSeconds: 2 },
}

const OF_QUICK: readonly QuestionName[] = ['http-cost', 'replication', 'staleness']
const NODES_MAX = 16

/** Undefined when only help was asked for, which is written to `print` then. */
export function readArguments(args: readonly string[], known: Known, print: (text: string) => void): BenchArguments | undefined {
  const cli = cac('bench')
    .usage('[options]\n\nMeasures session-mesh and others on this machine, with real processes.')
    .option('--quick', 'One round of the questions that matter most, at most 5 minutes')
    .option('--full', 'Longer windows and larger sizes, about 30 minutes (without either: about 12)')
    .option('--only <names>', `Questions: ${known.questions.map(({ name }) => name).join(',')}`)
    .option('--backends <names>', `Variants: ${known.variants.map(({ name }) => name).join(',')}`)
    .option('--nodes <counts>', 'Numbers of nodes, such as 1,3,5')
    .option('--config <file>', 'A cluster.config.ts of your own, measured as one more variant')
    .option('--seed <number>', 'Of the order of trials and of all dice (1)')
    .option('--rounds <count>', 'Rounds, of which the median is told')
    .option('--window <seconds>', 'Length of one measured window')
    .option('--out <folder>', 'Where the results go (bench/results)')
    .option('--readme', 'Puts the summary into README.md')
  cli.help(() => [])
  const { options, args: rest } = cli.parse(['node', 'bench', ...args], { run: false })
  if (options['help'] === true) {
    print(helpOf(cli.globalCommand.options, known))
    return undefined
  }
  const names = cli.globalCommand.options.flatMap((option) => option.names)
  return check(options, rest, names, known)
}

function check(flags: Readonly<Record<string, unknown>>, rest: readonly string[], flagNames: readonly string[], known: Known): BenchArguments {
  const problems: string[] = rest.map((word) => `${word} is no option`)
  for (const name of Object.keys(flags)) {
    if (name === '--' || name === 'help' || name === 'h' || flagNames.includes(name)) continue
    problems.push(`unknown option --${name}${didYouMean(`--${name}`, flagNames.map((flag) => `--${flag}`))}`)
  }
  const number = (name: string, min: number, max: number, whole = true): number | undefined => {
    const value = flags[name]
    if (value === undefined) return undefined
    const fits = typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value))
    if (!fits) problems.push(`--${name} must be a ${whole ? 'whole ' : ''}number from ${min} to ${max} (got ${JSON.stringify(value)})`)
    return Number(value)
  }
  const among = <T extends string>(name: string, candidates: readonly T[]): readonly T[] | undefined => {
    const words = listOf(flags[name])
    for (const word of words ?? []) {
      if (!candidates.some((candidate) => candidate === word)) problems.push(`--${name}: there is no ${word}${didYouMean(word, candidates)}`)
    }
    return words && candidates.filter((candidate) => words.includes(candidate))
  }
  const text = (name: string): string | undefined => {
    const value = flags[name]
    if (value !== undefined && typeof value !== 'string') problems.push(`--${name} needs a value`)
    return typeof value === 'string' ? value : undefined
  }

  const isQuick = flags['quick'] === true
  if (isQuick && flags['full'] === true) problems.push('--quick and --full exclude each other')
  const mode: Mode = isQuick ? 'quick' : flags['full'] === true ? 'full' : 'standard'
  const questions = known.questions.map(({ name }) => name)
  const nodes = listOf(flags['nodes'])?.map(Number)
  for (const count of nodes ?? []) {
    if (!(Number.isInteger(count) && count >= 1 && count <= NODES_MAX)) problems.push(`--nodes must be whole numbers from 1 to ${NODES_MAX}`)
  }
  const read: BenchArguments = {
    mode,
    only: among('only', questions) ?? (isQuick ? questions.filter((name) => OF_QUICK.includes(name)) : questions),
    backends: among('backends', known.variants.map(({ name }) => name)),
    nodes,
    out: text('out') ?? 'bench/results',
    seed: number('seed', 0, 2 ** 32 - 1) ?? 1,
    rounds: number('rounds', 1, 100) ?? MODES[mode].rounds,
    windowSeconds: number('window', 0.05, 600, false) ?? MODES[mode].windowSeconds,
    config: text('config'),
    readme: flags['readme'] === true,
  }
  if (problems.length > 0) throw new UsageError(problems.join('; '))
  return read
}

function listOf(value: unknown): readonly string[] | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  return String(value).split(',').map((word) => word.trim()).filter((word) => word !== '')
}

function helpOf(options: readonly { readonly rawName: string; readonly description: string }[], { questions, variants }: Known): string {
  const list = (rows: readonly (readonly [string, string])[]): string =>
    rows.map(([name, text]) => `  ${name.padEnd(20)} ${text}`).join('\n')
  return [
    'npm run bench -- [options]: measures session-mesh and others on this machine, with real processes.\n',
    list(options.map(({ rawName, description }) => [rawName, description])),
    '\nQuestions (--only):',
    list(questions.map(({ name, title }) => [name, title])),
    '\nVariants (--backends):',
    list(variants.map(({ name, title }) => [name, title])),
    '',
  ].join('\n')
}
