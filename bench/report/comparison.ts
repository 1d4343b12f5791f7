/**
 * The three ways to keep sessions on several nodes, each with its price: a row a drawback, a column a way. What stands in
 * one row was measured under one setting.
 */
import type { BenchRun, Cell, QuestionName } from '../results.js'
import { cellsOf, grouped, sessionsIn, type Wanted } from './cells.js'
import { quantity } from './format.js'
import { MARKS } from './headline.js'
import { settingsInWords, Variant } from './names.js'
import type { Row, Table } from './section.js'
import { crossingInWords } from './sections/scale.js'

interface Asked {
  readonly what: string
  readonly question: QuestionName
  readonly figure: string
  /** What redis-server adds to it. */
  readonly store?: string
  /** The same for each column, but its variant. */
  readonly settings?: Wanted['settings']
  readonly except?: Wanted['except']
  /** Those of nodes that share nothing, where they were measured in another way. */
  readonly aloneSettings?: Wanted['settings']
  /** What there is to say of nodes that share nothing, where there is nothing to measure. */
  readonly alone?: string
  /** Measured under several numbers of sessions: the greatest that all columns have. */
  readonly ofMost?: boolean
}

const COLUMNS = [
  { head: 'sticky, each its own memory', variant: Variant.memory },
  { head: 'replicated', variant: Variant.async },
  { head: 'one Redis', variant: Variant.redis },
] as const

/** Nodes that share nothing are as fast as one. */
const APART = { settings: { nodes: 3 }, aloneSettings: { nodes: 1 } } as const

const COST = { question: 'http-cost', figure: 'cpuPerRequest', store: 'redisCpuPerRequest' } as const

const ASKED: readonly Asked[] = [
  { what: 'median of a request at 1,000/s (sticky: on one node)', question: 'latency', figure: 'p50', ...APART },
  { what: '99 % of them are answered within', question: 'latency', figure: 'p99', ...APART },
  { what: 'CPU per read, three nodes', ...COST, settings: { workload: 'R', nodes: 3 } },
  { what: 'CPU per write, three nodes', ...COST, settings: { workload: 'W', nodes: 3 } },
  {
    what: 'reads elsewhere right after a write that see it (with stamps)',
    question: 'staleness',
    figure: 'fresh0',
    settings: { delayMs: 0 },
    except: { stamps: false },
    alone: 'none: elsewhere it is unknown',
  },
  { what: 'memory of each copy of a session', question: 'memory', figure: 'rssPerSession', ofMost: true },
  {
    what: 'bytes on the wire for a request that writes 100 B of 1 KB, three nodes',
    question: 'scale',
    figure: 'bytesPerWrite',
    settings: { nodes: 3 },
    alone: 'none are sent',
  },
  { what: 'concurrent changes lost', question: 'races', figure: 'lost' },
]

export function comparison(run: BenchRun): Table {
  return {
    caption: 'The three ways',
    head: ['', ...COLUMNS.map(({ head }) => head)],
    rows: [
      said('a node dies', 'its sessions are gone', 'its sessions go on elsewhere', 'its sessions go on elsewhere'),
      said('all nodes stop', 'all sessions are gone', 'all sessions are gone', 'Redis has them, if it goes on'),
      said('what stops all of them when it stops', 'no single process', 'no single process', 'Redis, unless a replica takes over'),
      said('copies of a session', 'one, on its node', 'one on every node', 'one, in Redis'),
      ...ASKED.map((asked) => measuredRow(run, asked)),
      said('more nodes', 'cost nothing', crossingInWords(run), 'each adds its requests to one Redis'),
    ],
  }
}

function said(what: string, ...cells: readonly [string, string, string]): Row {
  return { cells: [what, ...cells], marks: [], notes: [] }
}

function measuredRow(run: BenchRun, asked: Asked): Row {
  const { what, alone, ofMost = false } = asked
  const all = COLUMNS.map(({ variant }) => cellsFor(run, asked, variant))
  const size = ofMost ? mostInCommon(all.filter((cells) => cells.length > 0)) : undefined
  const chosen = all.map((cells) => (ofMost ? cells.find((cell) => settingsInWords(cell.settings) === size) : cells[0]))
  const cells = chosen.map((cell, column) => {
    if (COLUMNS[column]?.variant === Variant.memory && alone !== undefined) return alone
    return valueIn(cell, asked)
  })
  const label = size === undefined ? what : `${what} (${size})`
  const notes = chosen.flatMap((cell, column) => doubtsIn(cell).map((why) => `${COLUMNS[column]?.head}: ${why}`))
  return { cells: [label, ...cells], marks: [...new Set(chosen.flatMap((cell) => cell?.marks ?? []))], notes }
}

function valueIn(cell: Cell | undefined, { figure, store }: Asked): string {
  const found = cell?.figures[figure]
  if (found === undefined) return 'not measured'
  const added = store === undefined ? undefined : cell?.figures[store]
  const value = quantity(found.median, found.unit)
  return added === undefined ? value : `${value}, and ${quantity(added.median, added.unit)} of redis-server`
}

/** The mark of a row does not say whose it is. */
function doubtsIn(cell: Cell | undefined): readonly string[] {
  return (cell?.marks ?? []).map((mark) => MARKS[mark])
}

function cellsFor(run: BenchRun, { question, figure, settings = {}, except = {}, aloneSettings }: Asked, variant: string): readonly Cell[] {
  const own = variant === Variant.memory ? (aloneSettings ?? settings) : settings
  return cellsOf(run, question, { variant, figure, settings: own, except })
}

/** Of the settings that every column was measured under, those with the most sessions. */
function mostInCommon(columns: readonly (readonly Cell[])[]): string | undefined {
  const by = grouped(columns.flat(), ({ settings }) => settingsInWords(settings))
  const common = by.filter(([, cells]) => new Set(cells.map(({ variant }) => variant)).size === columns.length)
  const sessionsOf = ([, [cell]]: (typeof common)[number]): number => (cell === undefined ? 0 : sessionsIn(cell))
  return common.toSorted((a, b) => sessionsOf(b) - sessionsOf(a))[0]?.[0]
}
