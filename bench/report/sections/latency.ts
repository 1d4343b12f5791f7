/** How long a browser waits. */
import type { BenchRun, Cell } from '../../results.js'
import { cellsOf, grouped } from '../cells.js'
import { quantity } from '../format.js'
import { commandFor, labelOf, lookOf, settingsInWords } from '../names.js'
import type { Plot, Section } from '../section.js'
import { tableOf } from '../tables.js'

const COLUMNS = [
  ['p50', 'median'],
  ['p99', '99 %'],
  ['p999', '99.9 %'],
] as const

export function latency(run: BenchRun): Section {
  const cells = cellsOf(run, 'latency', { figure: 'p50' })
  const plots = bySettings(cells.filter(({ curves }) => curves['latency'] !== undefined)).map(plotOf)
  return {
    id: 'latency',
    title: 'How long a request takes',
    short: 'Latency',
    lead:
      'Requests leave at a fixed rate whether or not earlier ones are answered, and are timed from the moment at which ' +
      'they were meant to leave. A curve further left is faster; where it bends to the right, some requests waited.',
    findings: [],
    bars: [],
    plots,
    tables: cells.length > 0 && plots.length === 0 ? [tableOf('Latency', cells, COLUMNS)] : [],
    ...(cells.length === 0 ? { missing: commandFor('latency') } : {}),
  }
}

/** Cells that differ in their variant alone belong into one plot. */
export function bySettings(cells: readonly Cell[]): readonly (readonly Cell[])[] {
  return grouped(cells, ({ settings }) => settingsInWords(settings)).map(([, group]) => group)
}

function plotOf(cells: readonly Cell[], index: number): Plot {
  const [first] = cells
  const under = first === undefined ? '' : settingsInWords(first.settings)
  return {
    id: `latency-${index}`,
    title: under === '' ? 'Latency' : `Latency: ${under}`,
    summary: cells.map(inWords).join('; '),
    x: { label: 'answered within', unit: 'ms', scale: 'logarithmic' },
    y: { label: 'share of requests', unit: 'share', scale: 'linear', min: 0, max: 1 },
    series: cells.map(({ variant, curves }) => ({
      ...lookOf(variant),
      drawn: 'line',
      points: curves['latency'] ?? [],
    })),
    crossings: [],
    table: tableOf(`Latency: ${under}`, cells, COLUMNS),
  }
}

function inWords({ variant, figures: { p50, p99 } }: Cell): string {
  const parts = [p50, p99].map((figure) => (figure === undefined ? '?' : quantity(figure.median, figure.unit)))
  return `${labelOf(variant)}: median ${parts[0]}, 99 % ${parts[1]}`
}
