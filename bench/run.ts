/** Runs a plan: groups one after the other, in every group rounds, in every round all trials in an order of chance. */
import { randomOf, seedOf, shuffled } from './method/random.js'
import { Tally } from './method/tally.js'
import { measureWindow, type Meter } from './method/window.js'
import type { Question, Sample, Trial, TrialContext } from './question.js'
import type { Cell } from './results.js'
import { Rig } from './rig/rig.js'
import type { Pinning } from './rig/pinning.js'

export interface Planned {
  readonly question: Question
  readonly trials: readonly Trial[]
}

export interface RunOptions {
  readonly plan: readonly Planned[]
  readonly rounds: number
  readonly seed: number
  readonly windowSeconds: number
  readonly pinning: Pinning
  readonly cores: number
  readonly nowMs: () => number
  readonly signal: AbortSignal
  /** Told before each run of a trial, and with every cell so far after it. */
  readonly began: (step: Step) => void
  readonly measured: (cells: readonly Cell[], step: Step) => void
}

/** One run of one trial. */
export interface Step {
  readonly question: Question
  readonly trial: Trial
  readonly round: number
}

/** All runs of all trials, in their order. Pure: the seed decides. */
export function stepsOf(plan: readonly Planned[], rounds: number, seed: number): readonly Step[] {
  return plan.flatMap(({ question, trials }) => {
    const groups = new Set(trials.map(({ group }) => group))
    return [...groups].flatMap((group) => {
      const members = trials.filter((trial) => trial.group === group)
      return Array.from({ length: rounds }, (_, round) => {
        const taking = members.filter((trial) => round < (trial.rounds ?? rounds))
        const order = shuffled(taking, randomOf(seedOf(seed, question.name, group, round)))
        return order.map((trial) => ({ question, trial, round }))
      }).flat()
    })
  })
}

/** Answers with all cells; those that were not reached when the run was aborted are missing. */
export async function run(options: RunOptions): Promise<readonly Cell[]> {
  const { plan, rounds, seed, signal, began, measured } = options
  const tally = new Tally()
  for (const step of stepsOf(plan, rounds, seed)) {
    if (signal.aborted) break
    began(step)
    const samples = await runStep(step, options)
    if (signal.aborted) break
    tally.add(step.question, step.trial, step.round, samples)
    measured(tally.cells(), step)
  }
  return tally.cells()
}

async function runStep({ question, trial, round }: Step, options: RunOptions): Promise<readonly Sample[]> {
  const { seed, windowSeconds, pinning, cores, nowMs, signal } = options
  const rig = new Rig(pinning)
  const meter: Meter = { cores, nowMs, cpu: async () => await rig.cpu() }
  const endNow = (): void => void rig.close()
  signal.addEventListener('abort', endNow, { once: true })
  const context: TrialContext = {
    round,
    random: randomOf(seedOf(seed, question.name, trial.variant, JSON.stringify(trial.cells), round)),
    rig,
    windowSeconds,
    signal,
    window: async (load, windowOptions) => await measureWindow(meter, load, windowOptions),
  }
  try {
    const samples = await trial.measure(context)
    return samples.map((sample) => withNote(sample, pinning.note))
  } catch (error) {
    return trial.cells.map((settings) => failed(settings, error))
  } finally {
    signal.removeEventListener('abort', endNow)
    await rig.close()
  }
}

/** One trial that breaks ends nothing: it is void, and says why. */
function failed(settings: Sample['settings'], error: unknown): Sample {
  const [line = ''] = String(error).split('\n')
  return { settings, figures: {}, marks: ['void'], notes: [`could not be measured: ${line}`] }
}

function withNote(sample: Sample, note: string | undefined): Sample {
  return note === undefined ? sample : { ...sample, notes: [...(sample.notes ?? []), note] }
}
