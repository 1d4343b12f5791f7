/** What a reader must know before the first figure: where and when it was measured, and what to doubt. */
import type { BenchRun, Mark } from '../results.js'
import { duration, moment, number } from './format.js'

export interface Headline {
  readonly where: string
  readonly when: string
  /** Doubts, the worst first; empty for a clean full run. */
  readonly warnings: readonly string[]
}

const QUICK = 'A quick run: one round, few questions. Differences below a tenth say nothing.'

export const MARKS: Readonly<Record<Mark, string>> = {
  wrong: 'An answer was not the last acknowledged value.',
  void: 'Under 90 % of the intended load was reached; the figures do not count.',
  disturbed: 'The machine did other work in every try.',
  simulated: 'In virtual time, not on sockets.',
  computed: 'By a formula, not measured.',
}

export function headline(run: BenchRun): Headline {
  const { machine, startedAt, seconds, mode, commit, dirty } = run
  const cores = `${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}`
  const redis = machine.redis === '' ? 'no Redis' : `Redis ${machine.redis}`
  const memory = `${number(machine.memoryBytes / 2 ** 30)} GiB`
  return {
    where: `${machine.cpu}, ${cores}, ${memory}, ${machine.kernel}, Node ${machine.node.replace(/^v/, '')}, ${redis}`,
    when: `${moment(startedAt)}, commit ${commit}${dirty ? ' with changes' : ''}, ${mode} run of ${duration(seconds)}`,
    warnings: warnings(run),
  }
}

function warnings(run: BenchRun): readonly string[] {
  const marked = (mark: Mark): number => run.cells.filter(({ marks }) => marks.includes(mark)).length
  const [wrong, voided, disturbed] = [marked('wrong'), marked('void'), marked('disturbed')]
  return [
    ...(wrong > 0 ? [`${plural(wrong)} with a wrong answer: this run is a failure.`] : []),
    ...(run.partial ? ['Interrupted: what is missing was not measured.'] : []),
    ...(run.mode === 'quick' ? [QUICK] : []),
    ...(voided > 0 ? [`${plural(voided)} void: the load was not reached.`] : []),
    ...(disturbed > 0 ? [`${plural(disturbed)} disturbed by other work.`] : []),
    ...(run.dirty ? ['The checkout held changes that were not committed.'] : []),
  ]
}

function plural(cells: number): string {
  return cells === 1 ? '1 cell' : `${cells} cells`
}
