/** How much room sessions take, and what the garbage collector has to say about it. */
import type { BenchRun, Cell } from '../../results.js'
import { cellsOf, grouped, valuesOf } from '../cells.js'
import { quantity } from '../format.js'
import { commandFor, labelOf, lookOf, shapeInWords } from '../names.js'
import type { Plot, Section } from '../section.js'
import { notesOf, tableOf } from '../tables.js'

const COLUMNS = [
  ['rssPerSession', 'memory per session'],
  ['heapPerSession', 'of that, heap'],
  ['fullGc', 'full collection'],
  ['longestPause', 'longest pause'],
] as const

export function memory(run: BenchRun): Section {
  const cells = cellsOf(run, 'memory', { figure: 'rssPerSession' })
  const byShape = valuesOf(cells, 'shape').map((shape) => {
    return { shape: String(shape), own: cells.filter(({ settings }) => settings['shape'] === shape) }
  })
  // One that was measured for predictions alone compares nobody.
  const most = Math.max(...byShape.map(({ own }) => variantsIn(own)))
  const plots = byShape
    .filter(({ own }) => variantsIn(own) === most)
    .toSorted((a, b) => Number.parseInt(b.shape, 10) - Number.parseInt(a.shape, 10))
    .map(({ shape, own }) => sizePlot(own, shape))
  const paused = cellsOf(run, 'memory', { curve: 'pauses' }).filter(({ curves }) => curves['pauses']?.length)
  return {
    id: 'memory',
    title: 'What a session takes',
    short: 'Memory',
    lead:
      'Resident memory of the process (of redis-server, its own count) per session, by the number of sessions: of few ' +
      'sessions, most is what a process takes once. Every replicated node holds all of them; a Redis holds them once. ' +
      'Below that, the pauses of the garbage collector while the process holds the most of them: every dot is one pause ' +
      'during which nothing is answered.',
    findings: [],
    bars: [],
    plots: [...plots, ...grouped(mostSessions(paused), shapeOf).map(([shape, own]) => pausePlot(own, shape))],
    tables: [],
    ...(cells.length === 0 ? { missing: commandFor('memory') } : {}),
  }
}

function variantsIn(cells: readonly Cell[]): number {
  return new Set(cells.map(({ variant }) => variant)).size
}

function sizePlot(cells: readonly Cell[], shape: string): Plot {
  const variants = grouped(cells, ({ variant }) => variant)
  return {
    id: `memory-${shape}`,
    title: `Sessions of ${shapeInWords(shape)}`,
    summary: variants.map(([variant, own]) => `${labelOf(variant)}: ${own.map(inWords).join(', ')}`).join('; '),
    x: { label: 'sessions', unit: 'count', scale: 'logarithmic' },
    y: { label: 'memory per session', unit: 'B', scale: 'linear', min: 0 },
    series: variants.map(([variant, own]) => ({ ...lookOf(variant), drawn: 'both', points: sizesOf(own) })),
    crossings: [],
    table: tableOf(`Memory, sessions of ${shapeInWords(shape)}`, cells, COLUMNS),
  }
}

function sizesOf(cells: readonly Cell[]): readonly (readonly [number, number])[] {
  return cells
    .map(({ settings, figures }) => [Number(settings['sessions']), figures['rssPerSession']?.median ?? NaN] as const)
    .sort(([a], [b]) => a - b)
}

function inWords({ settings, figures: { rssPerSession } }: Cell): string {
  return rssPerSession === undefined
    ? ''
    : `${quantity(rssPerSession.median, rssPerSession.unit)} at ${Number(settings['sessions']).toLocaleString('en')}`
}

function mostSessions(cells: readonly Cell[]): readonly Cell[] {
  const most = Math.max(...cells.map(({ settings }) => Number(settings['sessions'])))
  return cells.filter(({ settings }) => Number(settings['sessions']) === most)
}

function shapeOf({ settings }: Cell): string {
  return String(settings['shape'] ?? 'any size')
}

function pausePlot(cells: readonly Cell[], shape: string): Plot {
  const sessions = Number(cells[0]?.settings['sessions']).toLocaleString('en')
  const longest = (cell: Cell): number => Math.max(...(cell.curves['pauses'] ?? []).map(([, ms]) => ms))
  return {
    id: `pauses-${shape}`,
    title: `Garbage collection, ${sessions} sessions of ${shapeInWords(shape)}`,
    summary: cells.map((cell) => `${labelOf(cell.variant)}: longest ${quantity(longest(cell), 'ms')}`).join('; '),
    x: { label: 'time', unit: 's', scale: 'linear', min: 0 },
    y: { label: 'pause', unit: 'ms', scale: 'logarithmic' },
    series: cells.map((cell) => ({
      ...lookOf(cell.variant),
      drawn: 'dots',
      points: cell.curves['pauses'] ?? [],
    })),
    crossings: [],
    table: {
      caption: `Pauses, ${sessions} sessions of ${shapeInWords(shape)}`,
      head: ['', 'pauses', 'longest', 'together'],
      rows: cells.map((cell) => {
        const pauses = cell.curves['pauses'] ?? []
        const together = pauses.reduce((sum, [, ms]) => sum + ms, 0)
        return {
          cells: [
            labelOf(cell.variant),
            String(pauses.length),
            quantity(longest(cell), 'ms'),
            quantity(together, 'ms'),
          ],
          marks: cell.marks,
          notes: notesOf(cell),
        }
      }),
    },
  }
}
