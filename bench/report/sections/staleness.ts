/** Whether the next read sees the write. */
import type { BenchRun, Cell } from '../../results.js'
import { cellsOf, valuesOf } from '../cells.js'
import { quantity } from '../format.js'
import { commandFor, labelOf, lookOf, type Line } from '../names.js'
import type { Plot, Section, Series } from '../section.js'
import { tableOf } from '../tables.js'

const FRESH = /^fresh(\d+)$/
const WAITS = [
  ['waitP50', 'waited, median'],
  ['waitP99', 'waited, 99 %'],
] as const

export function staleness(run: BenchRun): Section {
  const cells = cellsOf(run, 'staleness')
  const plots = valuesOf(cells, 'delayMs').map((delayMs) => {
    return plotOf(cells.filter(({ settings }) => settings['delayMs'] === delayMs), delayMs)
  })
  return {
    id: 'staleness',
    title: 'How fresh a read is',
    short: 'Freshness',
    lead:
      'A browser writes on one node and, some milliseconds after the answer, reads on another. The share of reads that ' +
      'see the write, over that time; the network between nodes (or to Redis) is slowed down by the stated delay. With ' +
      'stamps the browser carries what it has seen, and a node that is behind waits instead of answering with old data.',
    findings: [],
    bars: [],
    plots,
    tables: [],
    ...(cells.length === 0 ? { missing: commandFor('staleness') } : {}),
  }
}

function plotOf(cells: readonly Cell[], delayMs: string | number | boolean): Plot {
  const names = new Set(cells.flatMap(({ figures }) => Object.keys(figures)))
  const fresh = [...names].filter((name) => FRESH.test(name))
  const columns = fresh
    .sort((a, b) => afterMs(a) - afterMs(b))
    .map((name) => [name, `after ${afterMs(name)} ms`] as const)
  return {
    id: `staleness-${delayMs}`,
    title: `${delayMs} ms of network delay`,
    summary: cells.filter((cell) => pointsOf(cell).length > 0).map(inWords).join('; '),
    x: { label: 'read after the answer to the write', unit: 'ms', scale: 'from-zero', min: 0 },
    y: { label: 'reads that see the write', unit: 'share', scale: 'linear', min: 0, max: 1 },
    series: seriesOf(cells.filter((cell) => pointsOf(cell).length > 0)),
    crossings: [],
    table: tableOf(`Fresh reads, ${delayMs} ms of network delay`, cells, [...columns, ...WAITS]),
  }
}

/** Those of which no read was ever behind lie on one line: it stands for all of them. */
function seriesOf(cells: readonly Cell[]): readonly Series[] {
  const fresh = cells.filter(isAlwaysFresh)
  const [first] = fresh
  const behind = cells.filter((cell) => !isAlwaysFresh(cell)).map(seriesOfCell)
  if (first === undefined) return behind
  if (fresh.length === 1) return [seriesOfCell(first), ...behind]
  const label = `every read is fresh: ${fresh.length} variants, in the table`
  return [{ label, colour: 'green', line: 'solid', drawn: 'both', points: pointsOf(first) }, ...behind]
}

function isAlwaysFresh({ figures }: Cell): boolean {
  return Object.entries(figures).every(([name, { min }]) => !FRESH.test(name) || min === 1)
}

function seriesOfCell(cell: Cell): Series {
  const { label, colour, line: own } = lookOf(cell.variant)
  const line: Line = carriesStamps(cell) === false ? (own === 'dashed' ? 'dashed' : 'dotted') : 'solid'
  return { label: named(label, cell), colour, line, drawn: 'both', points: pointsOf(cell) }
}

function named(label: string, cell: Cell): string {
  const hasStamps = carriesStamps(cell)
  return hasStamps === undefined ? label : `${label}, ${hasStamps ? 'stamps' : 'no stamps'}`
}

function carriesStamps({ settings: { stamps } }: Cell): boolean | undefined {
  if (stamps === undefined) return undefined
  return stamps === true || stamps === 'on'
}

function pointsOf({ figures }: Cell): readonly (readonly [number, number])[] {
  return Object.entries(figures)
    .flatMap(([name, { median }]) => (FRESH.test(name) ? [[afterMs(name), median] as const] : []))
    .sort(([a], [b]) => a - b)
}

function afterMs(name: string): number {
  return Number(FRESH.exec(name)?.[1])
}

function inWords(cell: Cell): string {
  const [first] = pointsOf(cell)
  const share = first === undefined ? '' : `${quantity(first[1], 'share')} fresh after ${first[0]} ms`
  return `${named(labelOf(cell.variant), cell)}: ${share}`
}
