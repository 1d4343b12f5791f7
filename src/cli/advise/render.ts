import type { Advice, Option } from '../../advisor/advise.js'
import type { Calibration } from '../../advisor/calibrate.js'
import type { Crossing } from '../../advisor/crossing.js'
import type { Quantity } from '../../advisor/kinds.js'
import { total, type Part } from '../../advisor/law.js'
import type { Load } from '../../advisor/load.js'
import { PROMISED, type Miss } from '../../advisor/miss.js'
import type { Estimate } from '../../advisor/predict.js'
import type { Paint } from '../paint.js'

/** The advice, for people. */
export function render(advice: Advice, calibration: Calibration, paint: Paint): string {
  const { load, stamps } = advice.question
  return [
    paint('bold', describe(load)),
    origin(calibration, paint),
    ...record(calibration, paint),
    '',
    ...table(advice, paint),
    '',
    ...verdict(advice, paint),
    stamps ? 'Stale: with stamps, as browsers carry them, no request meets an older copy.' : '',
    crossing(advice.crossing),
    '',
  ]
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
}

/** Every term of every kind: what it comes to, with which coefficient, and the cells that it was fitted to. */
export function renderTerms({ options }: Advice, calibration: Calibration, paint: Paint): string {
  const kinds = new Set(options.map(({ prediction }) => prediction.candidate.kind))
  const each = [...kinds].flatMap((kind) => options.filter(({ prediction }) => prediction.candidate.kind === kind).slice(0, 1))
  const told = (quantity: Quantity): string => missInWords(quantity, calibration.misses[quantity])
  const lines = each.flatMap(({ prediction }) => {
    const { candidate, cpu, storeCpu, memory, storeMemory, traffic, p99 } = prediction
    return [
      paint('bold', candidate.title),
      ...terms('CPU of the nodes', cpu, cores, told('cpu')),
      ...terms('CPU of Redis', storeCpu, cores, told('storeCpu')),
      ...terms('memory of a node', memory, bytes, told('memory')),
      ...terms('memory of Redis', storeMemory, bytes, told('storeMemory')),
      ...terms('traffic of a node', traffic, perSecond, told('traffic')),
      ...terms('p99 of a request', p99, ms, told('p99')),
      '',
    ]
  })
  return `${lines.join('\n')}\n`
}

/** What is promised of the main quantities, the most by which a prediction may be off, and how often it was kept. */
const RECORD: readonly (readonly [Quantity, string])[] = [
  ['cpu', 'CPU'],
  ['memory', 'memory'],
  ['p99', 'p99'],
]

const HEADINGS = ['', 'CPU, nodes', 'CPU, Redis', 'memory/node', 'traffic/node', 'p99', 'stale', '']
const UNKNOWN = 'not measured'

function describe({ sessions, bytes: size, changeBytes, rate, writes, nodes, rttMs }: Load): string {
  const who = `${number(sessions)} sessions of ${bytes(size)}`
  const what = `${number(rate)} requests/s, ${percent(writes)} write ${bytes(changeBytes)}`
  return `${who}, ${what}; ${nodes} ${nodes === 1 ? 'node' : 'nodes'}, ${rttMs} ms there and back`
}

function origin({ run, cells }: Calibration, paint: Paint): string {
  const { machine, commit, dirty, startedAt } = run
  const where = `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`
  const doubt = cells.disturbed === 0 ? '' : paint('yellow', `; ${cells.disturbed} of them while the machine did other work`)
  const when = `${startedAt.slice(0, 10)}, commit ${commit}${dirty ? ' with changes' : ''}`
  return `Measured on ${where}; ${when}; ${cells.used} loads, ${cells.heldOut} of them only to see how wrong this is${doubt}`
}

/** Of loads that it was not fitted to, how many it was right about. */
function record({ misses }: Calibration, paint: Paint): readonly string[] {
  const judged = RECORD.filter(([quantity]) => misses[quantity].heldOut > 0)
  if (judged.length === 0) return []
  const each = judged.map(([quantity, name]) => `${name} ${keptOf(quantity, misses[quantity])}`)
  const isBroken = judged.some(([quantity]) => misses[quantity].kept < misses[quantity].heldOut)
  const line = `Right about loads it was not fitted to: ${each.join('; ')}`
  return [isBroken ? paint('yellow', line) : line]
}

function keptOf(quantity: Quantity, { kept, heldOut }: Miss): string {
  return `${kept} of ${heldOut} within ±${percent(PROMISED[quantity])}`
}

function row({ prediction, stale, breaks }: Option, nodes: number): readonly string[] {
  const { candidate, cpu, storeCpu, memory, traffic, p99 } = prediction
  return [
    candidate.title,
    `${span(cpu, cores)}, ${cores(cpu.value / nodes)} each`,
    candidate.kind.storeCpu === undefined ? '-' : span(storeCpu, cores),
    candidate.kind.hasCopies ? span(memory, bytes) : '-',
    span(traffic, perSecond),
    span(p99, ms),
    percent(stale),
    breaks.join(', '),
  ]
}

function table({ options, best, question }: Advice, paint: Paint): readonly string[] {
  const rows = [HEADINGS, ...options.map((option) => row(option, question.load.nodes))]
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  return rows.map((cells, at) => {
    const line = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()
    if (at === 0) return paint('dim', line)
    return options[at - 1] === best ? paint('green', line) : line
  })
}

function verdict({ best, options }: Advice, paint: Paint): readonly string[] {
  if (options.length === 0) return ['The calibration says nothing about any of them: run npm run bench -- --only calibration']
  if (best === undefined) return [paint('red', 'None of them keeps the limits.')]
  const { prediction, dominant } = best
  const share = dominant === undefined ? '' : ` Of its CPU, ${percent(dominant.value / prediction.cpu.value)} is for ${dominant.name}.`
  return [paint('green', `Cheapest that keeps the limits: ${prediction.candidate.title}.`) + share, `  ${prediction.candidate.config}`]
}

function crossing(found: Crossing | undefined): string {
  if (found === undefined) return 'No crossing: replication or Redis was not measured.'
  const { nodes, earliest, latest, upTo } = found
  const range = `${earliest ?? `more than ${upTo}`} to ${latest ?? `more than ${upTo}`}`
  if (latest === 1) return 'Redis is cheaper for any number of nodes.'
  if (nodes !== undefined) return `Redis is cheaper from ${nodes} ${nodes === 1 ? 'node' : 'nodes'} on (${range}).`
  return `No crossing up to ${upTo} nodes: replication stays cheaper${earliest === undefined ? '' : ` (${range})`}.`
}

function terms(what: string, estimate: Estimate | undefined, unit: Format, wrong: string): readonly string[] {
  if (estimate === undefined) return []
  return [
    `  ${what}: ${span(estimate, unit)} (${wrong})`,
    ...estimate.parts.map((part) => `    ${term(part, total(estimate.parts), unit)}`),
    `    fitted to ${estimate.sources.length} cells:`,
    ...estimate.sources.map((source) => `      ${source}`),
  ]
}

function missInWords(quantity: Quantity, miss: Miss): string {
  const range = `measured/predicted ${miss.low.toFixed(2)}–${miss.high.toFixed(2)}`
  const others = miss.heldOut === 0 ? '' : `, ${keptOf(quantity, miss)}`
  if (miss.fitted > 0) {
    return `${range}: what is promised, or eight of ten of the ${miss.fitted} loads it was fitted to; of those it was not${others}`
  }
  const held = miss.heldOut === 0 ? 'the loads it was fitted to' : `${miss.heldOut} loads it was not fitted to`
  return `${range} for ${held}${others}`
}

function term({ name, value, coefficient }: Part, all: number, unit: Format): string {
  const share = all > 0 && Number.isFinite(all) ? percent(value / all) : '-'
  return `${share.padStart(6)}  ${unit(value)}  ${name} (× ${coefficient.toPrecision(3)})`
}

type Format = (value: number) => string

/** A value and how far off it may be. */
function span(estimate: Estimate | undefined, format: Format): string {
  if (estimate === undefined) return UNKNOWN
  const { value, low, high } = estimate
  if (!Number.isFinite(value)) return 'too busy'
  const range = `${format(low)}–${format(high)}`
  return format(low) === format(high) ? format(value) : `${format(value)} (${range})`
}

const cores: Format = (value) => value.toFixed(value < 10 ? 2 : 0)
const ms: Format = (value) => (Number.isFinite(value) ? `${value.toFixed(value < 10 ? 2 : 0)} ms` : 'too busy')

const STEPS = [
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
] as const

const bytes: Format = (value) => {
  const [step, unit] = STEPS.find(([least]) => value >= least) ?? [1, 'B']
  return `${Number((value / step).toPrecision(3))} ${unit}`
}

const perSecond: Format = (value) => `${bytes(value)}/s`

function percent(share: number): string {
  if (share > 0 && share < 0.0005) return '<0.05 %'
  return `${Number((share * 100).toPrecision(2))} %`
}

function number(value: number): string {
  return new Intl.NumberFormat('en').format(Number(value.toPrecision(3)))
}
