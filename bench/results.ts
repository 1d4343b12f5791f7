/**
 * What a run of the benchmark leaves: one JSON file, from which the report, the README's tables, the goals and the
 * advisor are made. Written by the instrument, read by everybody else; change it here and nowhere else.
 */

/** One run of `npm run bench`. */
export interface BenchRun {
  readonly format: 1
  /** ISO 8601. */
  readonly startedAt: string
  readonly seconds: number
  readonly mode: 'quick' | 'standard' | 'full'
  /** True when it was interrupted: what is missing was not measured. */
  readonly partial: boolean
  readonly seed: number
  /** Of the checkout that was measured; `dirty` when it held changes that were not committed. */
  readonly commit: string
  readonly dirty: boolean
  /** As given on the command line. */
  readonly command: string
  readonly machine: Machine
  readonly cells: readonly Cell[]
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly node: string
  /** Empty when no redis-server took part. */
  readonly redis: string
  /** Versions of what was compared, by package. */
  readonly packages: Readonly<Record<string, string>>
}

/** One question of `bench/questions/`, put to one variant under one setting. */
export interface Cell {
  readonly question: QuestionName
  /** A name of `bench/variants.ts`; for figures without servers, what was measured. */
  readonly variant: string
  /** What was held constant, such as `{ workload: 'R', nodes: 3, delayMs: 10, rate: 1000 }`. */
  readonly settings: Readonly<Record<string, string | number | boolean>>
  /** By a name that says what it is, such as `cpuPerRequest` or `p99`. */
  readonly figures: Readonly<Record<string, Figure>>
  /** Points for a plot, by name: `latency` as [ms, share of requests], `pauses` as [s, ms]. */
  readonly curves: Readonly<Record<string, readonly (readonly [number, number])[]>>
  readonly marks: readonly Mark[]
  /** Of wrong answers, of voided rounds: sentences for the reader. */
  readonly notes: readonly string[]
}

export type QuestionName =
  | 'http-cost'
  | 'latency'
  | 'replication'
  | 'staleness'
  | 'wire'
  | 'memory'
  | 'join'
  | 'scale'
  | 'races'
  | 'profile'
  | 'calibration'

/** Over the rounds that count. */
export interface Figure {
  /** `ms`, `us`, `B`, `1/s`, `share` (0–1), `count`, `ratio`. */
  readonly unit: Unit
  readonly median: number
  readonly min: number
  readonly max: number
  /** One value a round, in their order; what `median` is the median of. */
  readonly rounds: readonly number[]
  /** For a ratio formed within each round: the variant it is a ratio to. */
  readonly to?: string
}

export type Unit = 'ms' | 'us' | 'B' | 'B/s' | '1/s' | 'share' | 'count' | 'ratio' | 's'

/**
 * Why a cell deserves doubt. `disturbed`: the machine did other work in every try; `void`: under 90 % of the intended load;
 * `wrong`: an answer was not the last acknowledged value; `computed`: by a formula; `simulated`: in virtual time.
 */
export type Mark = 'disturbed' | 'void' | 'wrong' | 'computed' | 'simulated'
