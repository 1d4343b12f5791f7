/** Tables of cells: a row each, with what was held constant and every figure that is asked for. */
import type { Cell } from '../results.js'
import { spread } from './format.js'
import { labelOf, settingsInWords } from './names.js'
import type { Table } from './section.js'

/** `columns`: a figure's name, and what stands above it. */
export function tableOf(
  caption: string,
  cells: readonly Cell[],
  columns: readonly (readonly [figure: string, head: string])[],
): Table {
  const measured = columns.filter(([figure]) => cells.some((cell) => cell.figures[figure] !== undefined))
  return {
    caption,
    head: ['', 'under', ...measured.map(([, head]) => head)],
    rows: cells.map(({ variant, settings, figures, marks, notes }) => ({
      cells: [
        labelOf(variant),
        settingsInWords(settings) || 'as is',
        ...measured.map(([name]) => {
          const figure = figures[name]
          return figure === undefined ? 'not measured' : spread(figure)
        }),
      ],
      marks,
      notes,
    })),
  }
}

/** Everything of some cells, whatever it is. */
export function fullTable(caption: string, cells: readonly Cell[]): Table {
  const names = [...new Set(cells.flatMap((cell) => Object.keys(cell.figures)))]
  return tableOf(caption, cells, names.map((name) => [name, name]))
}
