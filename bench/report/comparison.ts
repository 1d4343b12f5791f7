/**
 * The three ways to keep sessions on several nodes, each with its price: a row a drawback, a column a way.
 */
import type { BenchRun, QuestionName } from '../results.js'
import { cellsOf, figureOf, type Wanted } from './cells.js'
import { quantity } from './format.js'
import { Variant } from './names.js'
import type { Row, Table } from './section.js'
import { crossingInWords } from './sections/scale.js'

interface Asked {
  readonly what: string
  readonly question: QuestionName
  readonly figure: string
  /** The same for each column, but its variant. */
  readonly settings?: Wanted['settings']
}

const COLUMNS = [
  { head: 'sticky, each its own memory', variants: [Variant.memory, Variant.esMemory] },
  { head: 'replicated', variants: [Variant.async] },
  { head: 'Redis', variants: [Variant.redis] },
] as const

const ASKED: readonly Asked[] = [
  { what: 'median of a request', question: 'latency', figure: 'p50' },
  { what: '99 % of requests', question: 'latency', figure: 'p99' },
  { what: 'CPU per read', question: 'http-cost', figure: 'cpuPerRequest', settings: { workload: 'R' } },
  { what: 'CPU per write', question: 'http-cost', figure: 'cpuPerRequest', settings: { workload: 'W' } },
  { what: 'reads elsewhere right after a write that see it', question: 'staleness', figure: 'fresh0' },
  { what: 'memory per session', question: 'memory', figure: 'rssPerSession' },
  { what: 'bytes per change of 100 B', question: 'wire', figure: 'bytesPerChange' },
  { what: 'concurrent changes lost', question: 'races', figure: 'lost' },
]

export function comparison(run: BenchRun): Table {
  return {
    caption: 'The three ways',
    head: ['', ...COLUMNS.map(({ head }) => head)],
    rows: [
      said('a node dies', 'its sessions are gone', 'nothing is lost', 'nothing is lost'),
      said('all nodes stop', 'all sessions are gone', 'all sessions are gone', 'Redis has them'),
      said('what can stop all of them', 'nothing', 'nothing', 'Redis'),
      ...ASKED.map((asked) => measuredRow(run, asked)),
      said('more nodes', 'cost nothing', crossingInWords(run), 'each adds its requests to one Redis'),
    ],
  }
}

function said(what: string, ...cells: readonly [string, string, string]): Row {
  return { cells: [what, ...cells], marks: [], notes: [] }
}

function measuredRow(run: BenchRun, { what, question, figure, settings = {} }: Asked): Row {
  const cells = COLUMNS.map(({ variants }) => {
    const found = variants.map((variant) => figureOf(run, question, figure, { variant, settings })).find(Boolean)
    return found === undefined ? 'not measured' : quantity(found.median, found.unit)
  })
  const variants: readonly string[] = COLUMNS.flatMap((column) => [...column.variants])
  const own = cellsOf(run, question, { figure, settings }).filter(({ variant }) => variants.includes(variant))
  return { cells: [what, ...cells], marks: [...new Set(own.flatMap(({ marks }) => marks))], notes: [] }
}
