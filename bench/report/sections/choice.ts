/** Which backend takes up the least, for which load: predicted from this run's own calibration. */
import { calibrate, type Calibration } from '../../../src/advisor/calibrate.js'
import { costOf, type Cost } from '../../../src/advisor/cost.js'
import { CANDIDATES, type Candidate } from '../../../src/advisor/kinds.js'
import type { Load } from '../../../src/advisor/load.js'
import { predict } from '../../../src/advisor/predict.js'
import type { RunFile } from '../../../src/advisor/run-file.js'
import type { BenchRun } from '../../results.js'
import { moment, number } from '../format.js'
import { commandFor, lookOf, Variant } from '../names.js'
import type { HeatMap, HeatMapCell, Section } from '../section.js'
import { judgedInWords, judgedTable } from './judged.js'

const NODES = [2, 3, 4, 6, 8, 12, 20, 30]
const WRITES = [0.01, 0.05, 0.1, 0.2, 0.5, 1]
/** Many requests of few visitors, and few requests of many. */
const SESSIONS = [10_000, 200_000]
/** An ordinary shop in one data centre. */
const LOAD: Omit<Load, 'nodes' | 'writes' | 'sessions'> = {
  bytes: 1_000,
  changeBytes: 100,
  rate: 1_000,
  rttMs: 0.5,
  acks: 'async',
}
/** So much memory costs as much as a core. */
const BYTES_PER_CORE = 4 * 2 ** 30

/** Those that are weighed against each other, and how they are drawn. */
const RIVALS = [
  { kind: 'replicated', name: 'replicated', sign: '●', colour: lookOf(Variant.async).colour },
  { kind: 'redis', name: 'Redis', sign: '◆', colour: lookOf(Variant.redis).colour },
] as const

type Rival = (typeof RIVALS)[number]

/** `apart`: a calibration of another run, where this one has none. */
export function choice(run: BenchRun, apart?: RunFile): Section {
  const calibration = calibrate(isCalibrated(run) || apart === undefined ? asRunFile(run) : apart)
  const heatMaps = SESSIONS.flatMap((sessions) => heatMap(calibration, sessions) ?? [])
  const judged = judgedTable(calibration)
  return {
    id: 'choice',
    title: 'Which backend for which load',
    short: 'Choice',
    lead:
      'What takes less CPU and memory, of all nodes and of one Redis together, when 4 GiB cost as much as a core: ' +
      `${LOAD.rate.toLocaleString('en')} requests/s to sessions of 1 KB. For your own load: npx session-mesh advise.`,
    findings: heatMaps.length === 0 ? [] : [...originInWords(run, calibration), ...recordInWords(calibration)],
    bars: [],
    plots: [],
    tables: heatMaps.length === 0 || judged.rows.length === 0 ? [] : [judged],
    ...(heatMaps.length === 0 ? { missing: commandFor('calibration', 'memory') } : { heatMaps }),
  }
}

function isCalibrated({ cells }: BenchRun): boolean {
  return cells.some(({ question }) => question === 'calibration')
}

/** Said where it is not this run that the predictions come from. */
function originInWords(run: BenchRun, { run: { startedAt, commit, dirty, machine } }: Calibration): readonly string[] {
  if (startedAt === run.startedAt) return []
  const where = machine.cpu === run.machine.cpu && machine.cores === run.machine.cores ? 'the same sort of machine' : machine.cpu
  const code = `commit ${commit}${dirty ? ' with changes' : ''}`
  return [`Not of this run: predicted from the calibration of ${moment(startedAt)}, ${code}, on ${where}.`]
}

/** The advisor reads runs from files; this one is at hand. */
function asRunFile(run: BenchRun): RunFile {
  const cells = run.cells.map((cell) => ({
    ...cell,
    settings: { ...cell.settings },
    figures: { ...cell.figures },
    marks: [...cell.marks],
  }))
  return { ...run, cells }
}

/** Undefined where the run has not what a prediction needs. */
function heatMap(calibration: Calibration, sessions: number): HeatMap | undefined {
  const rows = WRITES.map((writes) => ({
    title: `${number(writes * 100)} %`,
    cells: NODES.map((nodes) => cellOf(calibration, { ...LOAD, sessions, nodes, writes })),
  }))
  const known = rows.flatMap(({ title, cells }) => {
    const complete = cells.flatMap((cell) => cell ?? [])
    return complete.length === cells.length ? [{ title, cells: complete }] : []
  })
  if (known.length < rows.length) return undefined
  return {
    title: `The cheaper backend, and by how much: ${sessions.toLocaleString('en')} sessions`,
    columnsTitle: 'nodes',
    rowsTitle: 'writes',
    columns: NODES.map(String),
    rows: known,
    key: [
      ...RIVALS.map(({ name, colour, sign }) => ({ text: `${name} is cheaper, so many times`, colour, sign })),
      { text: 'paler and with ≈: too close to call, by the errors of the predictions', colour: 'grey', sign: '≈' },
    ],
  }
}

function cellOf(calibration: Calibration, load: Load): HeatMapCell | undefined {
  const [first, second] = RIVALS.flatMap((rival) => {
    const cost = priceOf(rival, calibration, load)
    return cost === undefined ? [] : [{ rival, cost }]
  }).sort((a, b) => a.cost.value - b.cost.value)
  if (first === undefined || second === undefined) return undefined
  const isClose = first.cost.high >= second.cost.low
  const times = `${number(second.cost.value / first.cost.value)} ×`
  const { name, colour, sign } = first.rival
  const label = `${name}, ${times} cheaper${isClose ? ', too close to call' : ''}`
  const doubt = isClose ? '≈' : ''
  return { winner: `${doubt} ${name}`.trim(), sign: `${doubt}${sign}`, margin: times, label, colour, isClose }
}

function priceOf({ kind }: Rival, calibration: Calibration, load: Load): Cost | undefined {
  const candidate = candidateOf(kind)
  const prediction = candidate && predict(calibration, candidate, load)
  return prediction && costOf(prediction, load.nodes, BYTES_PER_CORE)
}

function candidateOf(kind: Rival['kind']): Candidate | undefined {
  return CANDIDATES.find((candidate) => candidate.kind.name === kind && candidate.acks === LOAD.acks)
}

/** How often it was right; where no load was kept back to judge by, how near it is to those that it was fitted to. */
function recordInWords(calibration: Calibration): readonly string[] {
  const { low, high, heldOut } = calibration.misses.cpu
  if (heldOut > 0) return judgedInWords(calibration)
  const range = `${number(low)} to ${number(high)} times what was predicted`
  return [`No load was kept back to judge by; CPU of those that were fitted to was ${range}.`]
}
