/** What a request costs the servers. */
import type { BenchRun, Cell } from '../../results.js'
import { cellsOf, valuesOf } from '../cells.js'
import { quantity } from '../format.js'
import { commandFor, lookOf, settingsInWords, Variant } from '../names.js'
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

/** The mix first: it is what most applications do. */
const TITLES: Readonly<Record<string, string>> = {
  M: 'Nine read, one writes',
  R: 'A request that reads one attribute',
  W: 'A request that replaces one attribute',
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
      '100 B. Beside it, how many times that of the floor: Express with one plain cookie and a Map. Shorter is better.',
    findings: [],
    bars: valuesOf(cells, 'nodes').flatMap((nodes) => barsAt(cells, nodes)),
    plots: [],
    tables: [],
    folded: valuesOf(cells, 'nodes').map((nodes) => {
      return tableOf('CPU per request', cells.filter(({ settings }) => settings['nodes'] === nodes), COLUMNS)
    }),
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
  const ratio = cpuRatio === undefined || variant === Variant.floor ? '' : ` · ${quantity(cpuRatio.median, 'ratio')}`
  const text = `${quantity(cpuPerRequest.median, cpuPerRequest.unit)}${ratio}`
  return [{ label, colour, line, value: cpuPerRequest.median, text, marks }]
}
