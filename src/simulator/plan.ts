import { REPLICA_DEFAULTS, type ReplicaOptions } from '../replica/options.js'
import { FAULT_KINDS, type FaultKind } from './episodes.js'
import type { FaultWeight } from './faults.js'
import { Random } from './random.js'

/** What a simulation is asked for. */
export interface SimulationOptions {
  readonly seed: number
  readonly nodes?: number
  readonly minutes?: number
  readonly browsers?: number
  /** Whether browsers carry stamps; without, they may read what is older than what they have seen. */
  readonly stamps?: boolean
  /** Kinds of faults to leave out. */
  readonly without?: readonly FaultKind[]
  /** Lines of the transcript to keep. */
  readonly traceLines?: number
}

/** Everything that one seed decides before it begins. */
export interface Plan {
  readonly seed: number
  readonly nodes: number
  readonly durationMs: number
  readonly browsers: number
  readonly stamps: boolean
  readonly traceLines: number
  readonly faults: readonly FaultWeight[]
  readonly faultEveryMs: number
  readonly lifetimes: { readonly maxIdleMs: number; readonly maxLifeMs: number }
  readonly replica: Pick<ReplicaOptions, 'killsKeptMs' | 'killsMax' | 'partFragmentsMax' | 'stampDotsMax'>
  /** Whether some attributes merge. */
  readonly merges: boolean
  /** Whether nodes take over sessions that were made elsewhere. */
  readonly imports: boolean
  /** Whether two nodes make sessions under one id that neither of them made. */
  readonly twins: boolean
  /** Whether to wait, after all faults, until every session has ended. */
  readonly waitsForExpiry: boolean
  /** The clock of each node is off by up to this, milliseconds. */
  readonly clockErrorMs: number
}

const DEFAULT_NODES = 5
const DEFAULT_MINUTES = 10
const DEFAULT_BROWSERS = 10
const MERGES_SHARE = 0.25
const IMPORTS_SHARE = 0.2
const TWINS_SHARE = 0.2

/** Draws a plan: swarm testing (Groce et al. 2012), each seed with its own few kinds of faults in its own mix. */
export function drawPlan(options: SimulationOptions): Plan {
  const random = new Random(options.seed, 'plan')
  const dice = new Random(options.seed, 'stamps')
  const kinds = FAULT_KINDS.map((kind) => ({ kind, weight: random.chance(0.55) ? random.between(0.1, 1) : 0 }))
  const faults = kinds.filter(({ kind, weight }) => weight > 0 && options.without?.includes(kind) !== true)
  const faultEveryMs = random.between(2_000, 6_000)
  const maxIdleMs = random.pick([45_000, 60_000, 90_000, 600_000, Infinity])
  const maxLifeMs = random.chance(0.8) ? Infinity : random.between(120_000, 400_000)
  return {
    seed: options.seed,
    nodes: options.nodes ?? DEFAULT_NODES,
    durationMs: (options.minutes ?? DEFAULT_MINUTES) * 60_000,
    browsers: options.browsers ?? DEFAULT_BROWSERS,
    stamps: options.stamps ?? true,
    traceLines: options.traceLines ?? 0,
    faults,
    faultEveryMs,
    lifetimes: { maxIdleMs, maxLifeMs },
    replica: {
      killsKeptMs: random.pick([0, 1_000, REPLICA_DEFAULTS.killsKeptMs]),
      killsMax: random.pick([0, 20, REPLICA_DEFAULTS.killsMax]),
      partFragmentsMax: random.pick([1, 1, 5, REPLICA_DEFAULTS.partFragmentsMax]),
      stampDotsMax: dice.chance(0.8) ? REPLICA_DEFAULTS.stampDotsMax : dice.integer(1, 4),
    },
    merges: new Random(options.seed, 'merging').chance(MERGES_SHARE),
    twins: new Random(options.seed, 'twins').chance(TWINS_SHARE),
    imports: new Random(options.seed, 'imports').chance(IMPORTS_SHARE),
    waitsForExpiry: random.chance(0.3) && maxIdleMs < 100_000,
    clockErrorMs: random.pick([0, 50, 2_000]),
  }
}
