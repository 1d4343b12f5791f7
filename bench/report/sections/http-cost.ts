/** What a request costs the servers. */
import type { BenchRun, Cell } from '../../results.js'
import { cellsOf, valuesOf } from '../cells.js'
import { spread } from '../format.js'
import { commandFor, lookOf, settingsInWords } from '../names.js'
import type { Bar, Bars, Section } from '../section.js'
import { tableOf } from '../tables.js'

const COLUMNS = [
  ['cpuPerRequest', 'CPU per request'],
  ['cpuRatio', 'ratio to the floor'],
  ['cpuRatioToUnconnected', 'to unconnected nodes'],
  ['cpuRatioToMemoryStore', 'to MemoryStore'],
  ['throughput', 'requests'],
  ['redisCpuPerRequest', 'CPU of redis-server'],
] as const

const TITLES: Readonly<Record<string, string>> = {
  R: 'A request that reads one attribute',
  W: 'A request that replaces one attribute',
  M: 'Nine read, one writes',
  C: 'A request that makes a session',
}

export function httpCost(run: BenchRun): Section {
  const cells = cellsOf(run, 'http-cost', { figure: 'cpuPerRequest' })
  return {
    id: 'http-cost',
    title: 'What a request costs',
    short: 'Cost',
    lead:
      'CPU time of the server processes per request, as the operating system counts it. Sessions have ten attributes of ' +
      '100 B. The floor is the least an Express application can do: a cookie and a Map. Shorter is better.',
    findings: [],
    bars: valuesOf(cells, 'nodes').flatMap((nodes) => barsAt(cells, nodes)),
    plots: [],
    tables: cells.length === 0 ? [] : [tableOf('CPU per request', cells, COLUMNS)],
    ...(cells.length === 0 ? { missing: commandFor('http-cost') } : {}),
  }
}

function barsAt(cells: readonly Cell[], nodes: string | number | boolean): readonly Bars[] {
  const here = cells.filter(({ settings }) => settings['nodes'] === nodes)
  const groups = valuesOf(here, 'workload').toSorted(byTitle).map((workload) => ({
    title: TITLES[String(workload)] ?? settingsInWords({ workload }),
    bars: here.filter(({ settings }) => settings['workload'] === workload).flatMap(barOf),
  }))
  return [{ title: `${nodes === 1 ? 'One node' : `${nodes} nodes`}: CPU per request`, groups }]
}

/** In the order of the list of titles. */
function byTitle(a: unknown, b: unknown): number {
  const order = Object.keys(TITLES)
  return order.indexOf(String(a)) - order.indexOf(String(b))
}

function barOf({ variant, figures, marks }: Cell): readonly Bar[] {
  const { cpuPerRequest, cpuRatio } = figures
  if (cpuPerRequest === undefined) return []
  const { label, colour, line } = lookOf(variant)
  const ratio = cpuRatio === undefined ? '' : ` · ${spread(cpuRatio)}`
  return [{ label, colour, line, value: cpuPerRequest.median, text: `${spread(cpuPerRequest)}${ratio}`, marks }]
}
