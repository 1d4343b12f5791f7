/** All that the report says, in its order. */
import { judge, type Verdict } from '../judge.js'
import type { RunFile } from '../../src/advisor/run-file.js'
import type { BenchRun } from '../results.js'
import { answers, type Answer } from './answers.js'
import { comparison } from './comparison.js'
import { headline, type Headline } from './headline.js'
import type { Section, Table } from './section.js'
import { choice } from './sections/choice.js'
import { listed } from './sections/figures.js'
import { httpCost } from './sections/http-cost.js'
import { latency } from './sections/latency.js'
import { memory } from './sections/memory.js'
import { scale } from './sections/scale.js'
import { staleness } from './sections/staleness.js'

export interface Contents {
  readonly headline: Headline
  readonly answers: readonly Answer[]
  readonly comparison: Table
  readonly verdicts: readonly Verdict[]
  readonly sections: readonly Section[]
}

/** `apart`: a calibration of another run, for predictions where this one did not calibrate. */
export function contentsOf(run: BenchRun, apart?: RunFile): Contents {
  return {
    headline: headline(run),
    answers: answers(run),
    comparison: comparison(run),
    verdicts: judge(run),
    sections: [
      choice(run, apart),
      latency(run),
      staleness(run),
      scale(run),
      httpCost(run),
      memory(run),
      listed(run, 'replication'),
      listed(run, 'wire'),
      listed(run, 'join'),
      listed(run, 'races'),
      listed(run, 'profile'),
    ],
  }
}
