/** Cells that do not count, or not for much, each with what happened. */
import type { BenchRun, Cell, Mark } from '../results.js'
import { labelOf, settingsInWords } from './names.js'
import type { Table } from './section.js'
import { notesOf } from './tables.js'

/** The worst first. */
const DOUBTFUL: readonly Mark[] = ['wrong', 'void', 'disturbed']

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
