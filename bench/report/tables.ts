/** Tables of cells: a row each, with what differs between them and every figure that is asked for. */
import type { Cell } from '../results.js'
import { grouped } from './cells.js'
import { spread } from './format.js'
import { figureInWords, labelOf, settingsInWords } from './names.js'
import { NONE, type Table } from './section.js'

/** A figure's name, and what stands above it. */
export type Column = readonly [figure: string, head: string]

/** What all cells have in common stands in the caption, unless it is there already. */
export function tableOf(caption: string, cells: readonly Cell[], columns: readonly Column[]): Table {
  const measured = columns.filter(([figure]) => cells.some((cell) => cell.figures[figure] !== undefined))
  const common = commonOf(cells)
  const differs = ({ settings }: Cell): string => settingsInWords(without(settings, common))
  const hasUnder = cells.some((cell) => differs(cell) !== '')
  const under = settingsInWords(common)
  return {
    caption: under === '' || caption.includes(under) ? caption : `${caption} (${under})`,
    head: ['', ...(hasUnder ? ['under'] : []), ...measured.map(([, head]) => head)],
    rows: cells.map((cell) => ({
      cells: [
        labelOf(cell.variant),
        ...(hasUnder ? [differs(cell) || 'as is'] : []),
        ...measured.map(([name]) => {
          const figure = cell.figures[name]
          return figure === undefined ? NONE : spread(figure)
        }),
      ],
      marks: cell.marks,
      notes: notesOf(cell),
    })),
  }
}

/** Everything of some cells, whatever it is: a table for those that have the same figures. */
export function fullTables(caption: string, cells: readonly Cell[]): readonly Table[] {
  const alike = grouped(cells, ({ figures }) => Object.keys(figures).join(' '))
  return alike.map(([, own]) => {
    const names = [...new Set(own.flatMap(({ figures }) => Object.keys(figures)))]
    return tableOf(caption, own, names.map((name) => [name, figureInWords(name)]))
  })
}

/** Settings that every one of the cells has, with the same value. */
function commonOf([first, ...others]: readonly Cell[]): Cell['settings'] {
  const all = Object.entries(first?.settings ?? {})
  return Object.fromEntries(all.filter(([name, value]) => others.every(({ settings }) => settings[name] === value)))
}

function without(settings: Cell['settings'], common: Cell['settings']): Cell['settings'] {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !(name in common)))
}

const IN_ROUND = /^round (\d+)(, void)?: (.*)$/

/** What the rounds have to say, each thing once: of a single round nobody needs the number. */
export function notesOf({ notes, figures }: Cell): readonly string[] {
  const rounds = Math.max(0, ...Object.values(figures).map((figure) => figure.rounds.length))
  const parsed = notes.map((note) => {
    const [, round = '', isVoid, text = note] = IN_ROUND.exec(note) ?? []
    return { round: `${round}${isVoid === undefined ? '' : ' (void)'}`, text }
  })
  return grouped(parsed, ({ text }) => text).map(([text, each]) => {
    const which = each.map(({ round }) => round).filter((round) => round !== '')
    if (which.length === 0 || (rounds < 2 && which.length < 2 && !which[0]?.includes('void'))) return text
    return `${which.length === 1 ? 'round' : 'rounds'} ${which.join(', ')}: ${text}`
  })
}
