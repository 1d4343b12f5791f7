/** What a cluster costs by its size, and at which size another backend becomes the cheaper one. */
import type { BenchRun, Cell, Figure } from '../../results.js'
import { cellsOf, grouped } from '../cells.js'
import { number, quantity } from '../format.js'
import { commandFor, lookOf, Variant } from '../names.js'
import type { Plot, Section, Series } from '../section.js'
import { tableOf } from '../tables.js'

/** Of ten requests of an ordinary shop, one writes. */
const WRITE_SHARE = 0.1
const NODES_SHOWN = 30
const COLUMNS = [
  ['cpuPerWrite', 'CPU per write, all nodes'],
  ['cpuPerRead', 'CPU per read'],
  ['bytesPerWrite', 'bytes per write'],
] as const

/**
 * Where two lines meet, and where they do in each single round; undefined: nowhere among the measured sizes.
 */
export interface Meeting {
  readonly nodes: number | undefined
  readonly rounds: readonly (number | undefined)[]
}

type Point = readonly [nodes: number, cost: number]
/** Which value of a figure counts: the median, or that of a round. */
type Pick = (figure: Figure) => number | undefined
const MEDIAN: Pick = ({ median }) => median

export function scale(run: BenchRun): Section {
  const cells = cellsOf(run, 'scale')
  const priced = cells.filter(({ figures }) => figures['cpuPerWrite'] !== undefined)
  const sized = cells.filter(({ figures }) => figures['bytesPerWrite'] !== undefined)
  return {
    id: 'scale',
    title: 'What more nodes cost',
    short: 'Nodes',
    lead:
      'CPU over all nodes for one request, when one in ten writes, and the bytes that a write puts on the wire. ' +
      'Replication brings every write to every node; a Redis answers every request of every node. Under as much load as ' +
      'the machine takes, where many changes share a frame: with less, replication costs more for each (see the choice ' +
      'above). Points are measured with real processes unless the table marks them as simulated or computed.',
    findings: [...(priced.length === 0 ? [] : [crossingInWords(run)]), ...idleInWords(cells)],
    bars: [],
    plots: [
      ...(priced.length === 0 ? [] : [costPlot(priced, meetingOf(run))]),
      ...(sized.length === 0 ? [] : [bytesPlot(sized)]),
    ],
    tables: [],
    ...(cells.length === 0 ? { missing: commandFor('scale') } : {}),
  }
}

/** What a node sends while nothing happens: every node tells every other, once a second, what it has of each. */
function idleInWords(cells: readonly Cell[]): readonly string[] {
  const idle = cells.flatMap((cell) => {
    const figure = cell.figures['idleBytesPerSecond']
    const nodes = nodesOf(cell)
    return figure === undefined ? [] : [{ nodes, each: figure.median / nodes, told: figure.median / (nodes * (nodes - 1)) }]
  })
  if (idle.length === 0) return []
  const each = idle.sort((a, b) => a.nodes - b.nodes).map(({ nodes, each: bytes, told }) => {
    return `${quantity(bytes, 'B/s')} at ${nodes} nodes (${quantity(told, 'B')} to each of the others)`
  })
  return [`At rest each node sends a digest a second to every other, an entry for every node in it: ${each.join(', ')}. Simulated.`]
}

/** From how many nodes on Redis is cheaper than replication. */
export function meetingOf(run: BenchRun, writeShare = WRITE_SHARE): Meeting {
  const [mesh, redis] = rivals(run)
  const at = (pick: Pick): number | undefined => meet(costs(mesh, writeShare, pick), costs(redis, writeShare, pick))
  const rounds = Math.min(...[...mesh, ...redis].map(({ figures }) => figures['cpuPerWrite']?.rounds.length ?? 0))
  return {
    nodes: at(MEDIAN),
    rounds: Array.from({ length: Number.isFinite(rounds) ? rounds : 0 }, (_, round) => {
      return at((figure) => figure.rounds[round])
    }),
  }
}

function rivals(run: BenchRun): readonly [mesh: readonly Cell[], redis: readonly Cell[]] {
  const of = (variant: string): readonly Cell[] =>
    cellsOf(run, 'scale', { variant, figure: 'cpuPerWrite' }).filter(isMeasured)
  return [of(Variant.async), of(Variant.redis)]
}

/** One sentence, also when there is no such place. */
export function crossingInWords(run: BenchRun, writeShare = WRITE_SHARE): string {
  const share = `${number(writeShare * 100)} % writes, under full load`
  const [mesh, redis] = rivals(run)
  if (mesh.length < 2 || redis.length < 2) return `With ${share}: not measured at enough sizes to compare.`
  const { nodes, rounds } = meetingOf(run, writeShare)
  const most = Math.max(...mesh.map(nodesOf))
  if (nodes !== undefined) {
    return `With ${share}, Redis takes less CPU than replication from ${Math.ceil(nodes)} nodes on${inRounds(rounds)}.`
  }
  const [own = NaN, their = NaN] = [mesh, redis].map((cells) => costs(cells, writeShare, MEDIAN).at(-1)?.[1])
  const cheaper = own < their ? 'replication' : 'Redis'
  return `With ${share}, ${cheaper} takes less CPU at every measured size, up to ${most} nodes.`
}

function inRounds(rounds: readonly (number | undefined)[]): string {
  const found = rounds.flatMap((nodes) => nodes ?? [])
  if (rounds.length < 2 || found.length === 0) return ''
  const [least, most] = [Math.min(...found), Math.max(...found)].map(number)
  const ends = least === most ? `${least}` : `${least} to ${most}`
  return found.length === rounds.length
    ? ` (the lines meet at ${ends} in the rounds)`
    : ` (the lines meet at ${ends} in ${found.length} of ${rounds.length} rounds, in the others nowhere)`
}

/**
 * First place at which `rising` is no longer below `other`, on straight lines between the sizes that both
 * have.
 */
export function meet(rising: readonly Point[], other: readonly Point[]): number | undefined {
  const theirs = new Map(other)
  const gaps = rising.flatMap(([nodes, cost]) => {
    const their = theirs.get(nodes)
    return their === undefined ? [] : [[nodes, cost - their] as const]
  })
  for (const [i, [nodes, gap]] of gaps.entries()) {
    const before = gaps[i - 1]
    if (before === undefined || before[1] >= 0 || gap < 0) continue
    return before[0] + ((nodes - before[0]) * -before[1]) / (gap - before[1])
  }
  return undefined
}

function costs(cells: readonly Cell[], writeShare: number, pick: Pick): readonly Point[] {
  const of = (figure: Figure | undefined): number => (figure === undefined ? NaN : (pick(figure) ?? NaN))
  return cells
    .map((cell): Point => {
      const { cpuPerWrite, cpuPerRead } = cell.figures
      return [nodesOf(cell), writeShare * of(cpuPerWrite) + (1 - writeShare) * of(cpuPerRead)]
    })
    .filter(([, cost]) => Number.isFinite(cost))
    .sort(([a], [b]) => a - b)
}

/** With real processes. */
function isMeasured({ marks }: Cell): boolean {
  return !marks.includes('simulated') && !marks.includes('computed')
}

function nodesOf({ settings }: Cell): number {
  return Number(settings['nodes'])
}

function costPlot(cells: readonly Cell[], { nodes }: Meeting): Plot {
  // Beyond that, one line alone would say how high the plot is.
  const shown = cells.filter((cell) => nodesOf(cell) <= NODES_SHOWN)
  const series = seriesOf(shown, 'computed', (own) => costs(own, WRITE_SHARE, MEDIAN))
  return {
    id: 'scale-cost',
    title: 'CPU per request over all nodes, one in ten writes',
    summary: inWords(series, 'us'),
    x: { label: 'nodes', unit: 'count', scale: 'logarithmic' },
    y: { label: 'CPU per request', unit: 'us', scale: 'linear', min: 0 },
    series,
    crossings: nodes === undefined ? [] : [{ x: nodes, label: `Redis is cheaper from ${Math.ceil(nodes)} on` }],
    table: tableOf('Cost by the number of nodes', cells, COLUMNS),
  }
}

function bytesPlot(cells: readonly Cell[]): Plot {
  const series = seriesOf(cells, 'simulated', (own) => {
    const points = own.map((cell): Point => [nodesOf(cell), cell.figures['bytesPerWrite']?.median ?? NaN])
    // One node sends nothing, for which there is no place on this axis.
    return points.filter(([, bytes]) => bytes > 0).sort(([a], [b]) => a - b)
  })
  return {
    id: 'scale-bytes',
    title: 'Bytes on the wire per write, over all nodes',
    summary: inWords(series, 'B'),
    x: { label: 'nodes', unit: 'count', scale: 'logarithmic' },
    y: { label: 'bytes per write', unit: 'B', scale: 'logarithmic' },
    series,
    crossings: [],
    table: tableOf('Bytes by the number of nodes', cells, [['bytesPerWrite', 'bytes per write']]),
  }
}

/**
 * What was measured is a line with points; what was not continues it, dotted. In a cell with both marks one of the
 * figures is simulated and the others are computed: `of` says what the drawn one is.
 */
function seriesOf(
  cells: readonly Cell[],
  of: 'simulated' | 'computed',
  pointsOf: (cells: readonly Cell[]) => readonly Point[],
): readonly Series[] {
  const origin = (cell: Cell): string => {
    if (isMeasured(cell)) return ''
    return cell.marks.includes(of) ? of : 'computed'
  }
  return grouped(cells, ({ variant }) => variant).flatMap(([variant, own]) => {
    const parts = grouped(own, origin).map(([mark, group]) => ({ mark, points: pointsOf(group) }))
    return parts.map(({ mark, points }): Series => {
      const look = lookOf(variant)
      if (mark === '') return { ...look, drawn: 'both', points }
      const before = lastBefore(parts.map((part) => part.points), points[0])
      return { ...look, label: `${look.label}, ${mark}`, line: 'dotted', drawn: 'both', points: [...before, ...points] }
    })
  })
}

/** Where the line that a dotted one continues ends. */
function lastBefore(lines: readonly (readonly Point[])[], first: Point | undefined): readonly Point[] {
  const before = lines.flat().filter(([nodes]) => first !== undefined && nodes < first[0])
  return before.toSorted(([a], [b]) => a - b).slice(-1)
}

function inWords(series: readonly Series[], unit: 'us' | 'B'): string {
  return series
    .map(({ label, points }) => {
      const ends = [points[0], points.at(-1)].flatMap((point) => point ?? [])
      const [from = 0, cost = 0, to = 0, last = 0] = ends
      return `${label}: ${quantity(cost, unit)} at ${from}, ${quantity(last, unit)} at ${to} nodes`
    })
    .join('; ')
}

