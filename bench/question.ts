/**
 * What a question is: which trials it wants, and how each is measured.
 *
 * To add one, write `bench/questions/<name>.ts` that exports `question: Question` and list it in
 * `bench/questions/all.ts`. A question plans; the frame (`bench/run.ts`) runs:
 *
 * - Trials of one `group` are compared with each other. Within every round they are run in an order that the seed
 *   shuffles, each by itself; nothing of one is alive while another runs. So write down what belongs into one table.
 * - A trial starts what it needs by `context.rig` (real processes; the frame ends them after the trial, whatever
 *   happens), puts its load on within `context.window(…)`, and answers with one sample for each of its `cells`.
 * - `window` repeats a window that other work of the machine disturbed, at most twice, and marks the sample then.
 * - A sample with the mark `void` does not count for the medians. With `wrong`, the run ends with exit code 1.
 * - Ratios are formed by the frame, within a round, as `ratios` says.
 */
import type { Load, LoadResult } from './load/load.js'
import type { Window } from './method/window.js'
import type { Mark, QuestionName, Unit } from './results.js'
import type { Rig } from './rig/rig.js'
import type { Variant } from './variants.js'

export type Mode = 'quick' | 'standard' | 'full'

export interface Question {
  readonly name: QuestionName
  /** One sentence, for --help. */
  readonly title: string
  readonly ratios?: readonly Ratio[]
  /** What is to be measured. Pure. */
  plan(options: PlanOptions): readonly Trial[]
}

export interface PlanOptions {
  readonly mode: Mode
  /** Those that may take part, in the order of `bench/variants.ts`; a question chooses among them. */
  readonly variants: readonly Variant[]
  /** They were named on the command line: a question leaves none of them out for want of time. */
  readonly chosen: boolean
  /** Numbers of nodes that were asked for on the command line; undefined: as the question thinks right. */
  readonly nodes: readonly number[] | undefined
  /** Length of one measured window. */
  readonly windowSeconds: number
}

export type Settings = Readonly<Record<string, string | number | boolean>>

/** Started, measured and ended once a round. */
export interface Trial {
  /** Name of a variant, or what is measured where no servers are. */
  readonly variant: string
  /** Trials of one group are interleaved. */
  readonly group: string
  /** Settings of the cells it fills: `measure` answers with a sample for each. */
  readonly cells: readonly Settings[]
  /** About how long one run of it takes, for the time left. */
  readonly seconds: number
  /** Measured this often, where that is less than the rounds of the mode: what takes long, or is not random. */
  readonly rounds?: number
  measure(context: TrialContext): Promise<readonly Sample[]>
}

/** What one round says of one cell. */
export interface Sample {
  readonly settings: Settings
  readonly figures: Readonly<Record<string, Measured>>
  readonly curves?: Readonly<Record<string, Curve>>
  readonly marks?: readonly Mark[]
  readonly notes?: readonly string[]
}

export interface Measured {
  readonly unit: Unit
  readonly value: number
}

export type Curve = readonly (readonly [number, number])[]

/** A figure that the frame makes of others of the same round. */
export interface Ratio {
  /** Its name. */
  readonly figure: string
  /** The figure that is divided by that of another cell. */
  readonly of: string
  /** The other cell; undefined where this cell has no such ratio. */
  to(variant: string, settings: Settings): { readonly variant: string; readonly settings: Settings } | undefined
}

export interface TrialContext {
  readonly round: number
  /** Of this trial and round alone, from the seed of the run. */
  readonly random: () => number
  /** Starts processes, and ends them after the trial. */
  readonly rig: Rig
  readonly windowSeconds: number
  /** Aborted when the run is to end early. */
  readonly signal: AbortSignal
  /**
   * Runs `load` once and reads what it cost: CPU of the processes of the rig, and of others. Runs it again when
   * others had more than their share, at most twice. With `intended` operations per second, fewer than 90 % of them
   * mark it void.
   */
  window<T extends LoadResult>(load: Load<T>, options?: { readonly intended?: number }): Promise<Window<T>>
}
