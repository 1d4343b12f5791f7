/** What a sceptic has to know: how everything was set up, and the cells that do not count, each with what happened. */
import type { BenchRun, Cell, Mark } from '../results.js'
import { figureOf } from './cells.js'
import { quantity } from './format.js'
import { labelOf, settingsInWords, Variant } from './names.js'
import type { Table } from './section.js'
import { notesOf } from './tables.js'

/** The worst first. */
const DOUBTFUL: readonly Mark[] = ['wrong', 'void', 'disturbed']

/** What holds for every cell, and whom it favours. */
export function setup(run: BenchRun): readonly string[] {
  const { cores } = run.machine
  const half = Math.floor(cores / 2)
  const share = half === 0 ? 'all share its only core' : `servers and redis-server have ${half} of its ${cores} cores, the load the rest`
  const floor = figureOf(run, 'latency', 'p99', { variant: Variant.floor })
  return [
    `Everything runs on one machine: ${share}. The network is loopback, without loss or encryption, and without delay but where a ` +
      'section says so: that favours Redis, which every request asks.',
    'One Redis, without a replica and without persistence: that favours it, too. CPU of redis-server is told beside that of the nodes.',
    'All stacks serve the same routes with the same answers; express-session and its stores run as their READMEs recommend.',
    ...(floor === undefined
      ? []
      : [`Of ${quantity(floor.median, floor.unit)}, the p99 of Express and a Map, none is due to sessions: compare tails, and do not take them for absolute.`]),
    'Tomcat took no part in this run: its figures, beside the goals, are of another day and another program.',
  ]
}

export function doubts({ cells }: BenchRun): Table {
  const rows = DOUBTFUL.flatMap((mark) => cells.filter((cell) => worstOf(cell) === mark))
  return {
    caption: 'Cells that do not count, or not for much',
    head: ['', 'question', 'under', 'what happened'],
    rows: rows.map((cell) => ({
      cells: [
        labelOf(cell.variant),
        cell.question,
        settingsInWords(cell.settings) || 'as is',
        notesOf(cell).join('; ') || 'the notes do not say',
      ],
      marks: cell.marks,
      notes: [],
    })),
  }
}

function worstOf({ marks }: Cell): Mark | undefined {
  return DOUBTFUL.find((mark) => marks.includes(mark))
}
