import { usageError } from '../exit.js'

/** What the command line gives: unchecked. */
export type Flags = Readonly<Record<string, unknown>>

export interface SimulateOptions {
  readonly nodes: number
  readonly minutes: number
  readonly stamps: boolean
  readonly workers: number
  readonly json: boolean
  /** First seed; undefined: where the ledger ends, or 1. */
  readonly from: number | undefined
  readonly seeds: number
  /** Path of the ledger. */
  readonly resume: string | undefined
}

export const DEFAULT_LEDGER = 'bench/results/simulation.jsonl'
const SEED_MAX = 2 ** 50

/** The flags of `simulate`; every one that makes no sense is told at once. */
export function simulateOptions(flags: Flags, cores: number): SimulateOptions {
  const problems: string[] = []
  const number = (name: string, min: number, max: number, isWhole = true): number | undefined => {
    const given = flags[name]
    if (given === undefined) return undefined
    const fits = typeof given === 'number' && given >= min && given <= max && (!isWhole || Number.isInteger(given))
    if (!fits)
      problems.push(
        `--${name} must be a ${isWhole ? 'whole ' : ''}number from ${min} to ${max} (got ${JSON.stringify(given)})`,
      )
    return Number(given)
  }
  const seed = number('seed', 0, SEED_MAX)
  const stamps = flags['stamps'] ?? 'on'
  if (stamps !== 'on' && stamps !== 'off')
    problems.push(`--stamps must be on or off (got ${JSON.stringify(stamps)})`)
  if (seed !== undefined && flags['seeds'] !== undefined) problems.push('--seed and --seeds exclude each other')
  const options: SimulateOptions = {
    nodes: number('nodes', 2, 25) ?? 5,
    minutes: number('minutes', 0.1, 1_440, false) ?? 10,
    stamps: stamps === 'on',
    workers: number('workers', 1, 256) ?? cores,
    json: flags['json'] === true,
    from: seed ?? number('from', 0, SEED_MAX),
    seeds: seed === undefined ? (number('seeds', 1, 100_000_000) ?? 20) : 1,
    resume:
      flags['resume'] === true ? DEFAULT_LEDGER : typeof flags['resume'] === 'string' ? flags['resume'] : undefined,
  }
  if (problems.length > 0) throw usageError(problems.join('; '))
  return options
}
