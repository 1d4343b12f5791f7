import { usageError } from '../exit.js'
import type { Store } from './node-process.js'

/** What the command line gives: unchecked. */
export type Flags = Readonly<Record<string, unknown>>

export interface DemoOptions {
  readonly check: boolean
  readonly json: boolean
  /** Undefined: begin with mesh, check both. */
  readonly store: Store | undefined
  /** Where the nodes keep their sessions when they share them. */
  readonly backend: DemoBackend
  readonly nodes: number
  readonly port: number
  readonly sessions: number
  readonly clicks: number
  readonly concurrency: number
}

export type DemoBackend = 'replicated' | 'redis' | 'tiered'

const BACKENDS: readonly DemoBackend[] = ['replicated', 'redis', 'tiered']

const RANGES = {
  nodes: [2, 9],
  port: [0, 65_535],
  sessions: [1, 100_000],
  clicks: [1, 1_000],
  concurrency: [1, 500],
} as const

/** The flags of `demo`; every one that makes no sense is told at once. */
export function demoOptions(flags: Flags): DemoOptions {
  const problems: string[] = []
  const number = (name: keyof typeof RANGES): number => {
    const [min, max] = RANGES[name]
    const given = flags[name]
    const fits = typeof given === 'number' && Number.isInteger(given) && given >= min && given <= max
    const got = JSON.stringify(given)
    if (!fits) problems.push(`--${name} must be a whole number from ${min} to ${max} (got ${got})`)
    return Number(given)
  }
  const given = flags['store']
  const store = given === 'mesh' || given === 'memory' ? given : undefined
  if (given !== store) problems.push(`--store must be mesh or memory (got ${JSON.stringify(given)})`)
  const backend = BACKENDS.find((known) => known === (flags['backend'] ?? 'replicated'))
  if (backend === undefined) {
    problems.push(`--backend must be ${BACKENDS.join(', ')} (got ${JSON.stringify(flags['backend'])})`)
  }
  const options: DemoOptions = {
    check: flags['check'] === true,
    json: flags['json'] === true,
    store,
    backend: backend ?? 'replicated',
    nodes: number('nodes'),
    port: number('port'),
    sessions: number('sessions'),
    clicks: number('clicks'),
    concurrency: number('concurrency'),
  }
  if (problems.length > 0) throw usageError(problems.join('; '))
  return options
}
