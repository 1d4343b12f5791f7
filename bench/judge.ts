/** Which goals a run reaches. */
import { GOALS, type Goal, type InRun, type Limit } from './goals.js'
import { cellsOf } from './report/cells.js'
import type { BenchRun, Figure, Mark } from './results.js'

export type Verdict = Judged | Held | NotMeasured

export interface Judged {
  readonly type: 'met' | 'missed'
  readonly goal: Goal
  /** Of the cell that is furthest from the limit, on the wrong side. */
  readonly figure: Figure
  readonly marks: readonly Mark[]
  /** The limit lies between the least and the most of the rounds: another run may say otherwise. */
  readonly isClose: boolean
}

/** Right or wrong, whatever the machine: no run of the benchmark says it, but tests that fail where it is not so. */
export interface Held {
  readonly type: 'held'
  readonly goal: Goal
  /** Runs them. */
  readonly command: string
}

export interface NotMeasured {
  readonly type: 'not-measured'
  readonly goal: Goal
  readonly why: string
}

export function judge(run: BenchRun, goals: readonly Goal[] = GOALS): readonly Verdict[] {
  return goals.map((goal) => {
    const { proof } = goal
    if ('command' in proof) return { type: 'held', goal, command: proof.command }
    return verdictOn(goal, proof, run)
  })
}

function verdictOn(goal: Goal, proof: InRun, run: BenchRun): Verdict {
  const cells = cellsOf(run, proof.question, proof)
  if (cells.some(({ marks }) => marks.includes('void') || marks.includes('wrong'))) {
    return { type: 'not-measured', goal, why: 'the answers or the load of this run do not count' }
  }
  const figures = cells.flatMap(({ figures: { [proof.figure]: figure } }) => figure ?? [])
  const worst = figures.toSorted((a, b) => excess(goal.limit, b.median) - excess(goal.limit, a.median))[0]
  if (worst === undefined) return { type: 'not-measured', goal, why: whyNot(run) }
  const [atBest, atWorst] = [worst.min, worst.max].map((value) => excess(goal.limit, value) <= 0)
  return {
    type: excess(goal.limit, worst.median) <= 0 ? 'met' : 'missed',
    goal,
    figure: worst,
    marks: [...new Set(cells.flatMap(({ marks }) => marks))],
    isClose: atBest !== atWorst,
  }
}

/** How far a value is beyond the limit; 0 or less keeps it. */
function excess(limit: Limit, value: number): number {
  return 'atMost' in limit ? value - limit.atMost : limit.atLeast - value
}

function whyNot({ partial, mode }: BenchRun): string {
  return partial ? 'not measured before the run was interrupted' : `not measured in this ${mode} run`
}
