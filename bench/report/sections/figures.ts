/** Sections of a few figures each, and whatever else their questions measured. */
import type { BenchRun, Cell, QuestionName } from '../../results.js'
import { cellsOf } from '../cells.js'
import { spread } from '../format.js'
import { commandFor, figureInWords, lookOf, settingsInWords } from '../names.js'
import type { Bar, Bars, Section, Table } from '../section.js'
import { tableOf } from '../tables.js'
import { LISTED, type ListedTable } from './listed.js'

export function listed(run: BenchRun, wanted: QuestionName): Section {
  const entry = LISTED.find(({ question }) => question === wanted)
  const { title, short, lead, tables } = entry ?? { title: wanted, short: wanted, lead: '', tables: [] }
  const cells = cellsOf(run, wanted)
  const groups = tables.flatMap((table) => groupOf(table, cells))
  return {
    id: wanted,
    title,
    short,
    lead,
    findings: [],
    bars: groups.flatMap(barsOf),
    plots: [],
    tables: [...groups.filter((group) => !isDrawn(group)).map(({ table }) => table), ...othersOf(cells, tables)],
    folded: groups.filter(isDrawn).map(({ table }) => table),
    ...(cells.length === 0 ? { missing: commandFor(wanted) } : {}),
  }
}

interface Group {
  readonly asked: ListedTable
  readonly cells: readonly Cell[]
  readonly table: Table
}

/** None where nothing of it was measured. */
function groupOf(asked: ListedTable, cells: readonly Cell[]): readonly Group[] {
  const own = cells.filter(({ figures }) => asked.columns.some(([name]) => figures[name] !== undefined))
  return own.length === 0 ? [] : [{ asked, cells: own, table: tableOf(asked.caption, own, asked.columns) }]
}

/** Figures that are listed nowhere: nothing is left out because nobody named it. */
function othersOf(cells: readonly Cell[], tables: readonly ListedTable[]): readonly Table[] {
  const known = new Set(tables.flatMap(({ columns }) => columns.map(([name]) => name)))
  const others = [...new Set(cells.flatMap(({ figures }) => Object.keys(figures)))].filter((name) => !known.has(name))
  const own = cells.filter(({ figures }) => others.some((name) => figures[name] !== undefined))
  const unmeasured = cells.filter(({ figures }) => Object.keys(figures).length === 0)
  return [
    ...(own.length === 0 ? [] : [tableOf('More', own, others.map((name) => [name, figureInWords(name)]))]),
    ...(unmeasured.length === 0 ? [] : [tableOf('Could not be measured', unmeasured, [])]),
  ]
}

function isDrawn({ asked }: Group): boolean {
  return asked.drawn.length > 0
}

function barsOf({ asked: { caption, columns, drawn }, cells }: Group): readonly Bars[] {
  const heads = columns.filter(([name]) => drawn.includes(name))
  const groups = heads.map(([name, head]) => ({ title: head, bars: cells.flatMap((cell) => barOf(cell, name)) }))
  return groups.length === 0 ? [] : [{ title: caption, groups }]
}

function barOf({ variant, settings, figures, marks }: Cell, name: string): readonly Bar[] {
  const figure = figures[name]
  if (figure === undefined) return []
  const { label, colour, line } = lookOf(variant)
  // Only that tells one bar of a variant from the other.
  const size = settings['sessions'] === undefined ? '' : `, ${settingsInWords({ sessions: settings['sessions'] })}`
  return [{ label: `${label}${size}`, colour, line, value: figure.median, text: spread(figure), marks }]
}
