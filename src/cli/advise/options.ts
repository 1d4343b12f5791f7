import type { Limits, Question } from '../../advisor/advise.js'
import { ACKS, type Acks, type Load } from '../../advisor/load.js'
import { parseDuration } from '../../duration.js'
import { didYouMean } from '../../spelling.js'
import { usageError } from '../exit.js'

/** What the command line gives: unchecked. */
export type Flags = Readonly<Record<string, unknown>>

export interface AdviseOptions {
  /** Without `load`, that of the member at `from` is taken. */
  readonly question: Omit<Question, 'load'>
  readonly given: Partial<Load>
  readonly from: string | undefined
  /** How long the member is watched, milliseconds. */
  readonly watchMs: number
  /** A run of the benchmark; undefined: the one that came with the package. */
  readonly calibration: string | undefined
  readonly explain: boolean
  readonly json: boolean
}

const GIB = 1_024 ** 3
const STEPS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['k', 1e3],
  ['m', 1e6],
  ['g', 1e9],
  ['ki', 1_024],
  ['mi', 1_024 ** 2],
  ['gi', GIB],
])
const AMOUNT = /^(\d{1,15}(?:\.\d{1,6})?)(k|m|g|ki|mi|gi)?(b)?$/i

/** The flags of `advise`; every one that makes no sense is told at once. */
export function adviseOptions(flags: Flags): AdviseOptions {
  const problems: string[] = []
  const amount = (name: string, what: Wanted): number | undefined => {
    const value = flags[name] === undefined ? undefined : amountOf(flags[name])
    if (flags[name] === undefined) return undefined
    const fits = value !== undefined && value >= what.min && value <= what.max && (!what.whole || Number.isInteger(value))
    if (!fits) problems.push(`--${dashed(name)} must be ${what.text} (got ${JSON.stringify(flags[name])})`)
    return value
  }
  const watchMs = parseDuration(flags['for'] ?? '5s')
  if (watchMs === undefined || watchMs < 10 || watchMs > 600_000) problems.push('--for must be a duration such as 5s, at most 10m')
  const { from, calibration } = flags
  const given = givenLoad(amount, acksOf(flags['acks'], problems))
  if (from === undefined) {
    for (const name of ['sessions', 'rate'] as const) {
      if (flags[name] === undefined) problems.push(`--${name} is needed, or --from with the address of a running member`)
    }
  }
  if (given.bytes !== undefined && given.changeBytes !== undefined && given.changeBytes > given.bytes) {
    problems.push('--change must not be larger than --bytes')
  }
  const options: AdviseOptions = {
    question: {
      limits: limitsOf(amount),
      acks: given.acks,
      stamps: flags['withoutStamps'] !== true,
      bytesPerCore: amount('coreMemory', size(1e6, 1e15)) ?? 4 * GIB,
      nodesMax: amount('nodesMax', whole(1, 1_000)) ?? 100,
    },
    given,
    from: textOf(from),
    watchMs: watchMs ?? 0,
    calibration: textOf(calibration),
    explain: flags['explain'] === true,
    json: flags['json'] === true,
  }
  if (problems.length > 0) throw usageError(problems.join('; '))
  return options
}

interface Wanted {
  readonly min: number
  readonly max: number
  readonly whole: boolean
  readonly text: string
}

type Amount = (name: string, what: Wanted) => number | undefined

function givenLoad(amount: Amount, acks: Acks | undefined): Partial<Load> {
  const load = {
    sessions: amount('sessions', count(1)),
    bytes: amount('bytes', size(1, 1e9)),
    changeBytes: amount('change', size(1, 1e9)),
    rate: amount('rate', count(0.001)),
    writes: amount('writes', { min: 0, max: 1, whole: false, text: 'a share from 0 to 1' }),
    nodes: amount('nodes', whole(1, 1_000)),
    rttMs: amount('rtt', milliseconds),
    acks,
  }
  return Object.fromEntries(Object.entries(load).filter(([, value]) => value !== undefined))
}

function limitsOf(amount: Amount): Limits {
  return {
    p99Ms: amount('limitP99', milliseconds),
    stale: amount('limitStale', { min: 0, max: 1, whole: false, text: 'a share from 0 to 1' }),
    memory: amount('limitMemory', size(1, 1e15)),
  }
}

function acksOf(given: unknown, problems: string[]): Acks | undefined {
  const acks = ACKS.find((known) => known === given)
  const guess = didYouMean(textOf(given) ?? '', ACKS)
  if (given !== undefined && acks === undefined) {
    problems.push(`--acks must be one of ${ACKS.join(', ')} (got ${JSON.stringify(given)}${guess})`)
  }
  return acks
}

const milliseconds: Wanted = { min: 0, max: 60_000, whole: false, text: 'milliseconds, such as 0.5' }

function count(min: number): Wanted {
  return { min, max: 1e12, whole: false, text: 'a number such as 500, 200k or 1.5m' }
}

function size(min: number, max: number): Wanted {
  return { min, max, whole: false, text: 'a size such as 800, 1k, 64mib or 2g' }
}

function whole(min: number, max: number): Wanted {
  return { min, max, whole: true, text: `a whole number from ${min} to ${max}` }
}

/** `200k`, `1.5m`, `2gib`; k, m and g are thousands, ki, mi and gi are 1,024s. */
function amountOf(given: unknown): number | undefined {
  if (typeof given === 'number') return given
  const [, digits, step = ''] = AMOUNT.exec(String(given)) ?? []
  return digits === undefined ? undefined : Number(digits) * (STEPS.get(step.toLowerCase()) ?? Number.NaN)
}

/** A flag that names something; the parser makes numbers of digits. */
function textOf(given: unknown): string | undefined {
  return typeof given === 'string' || typeof given === 'number' ? String(given) : undefined
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
