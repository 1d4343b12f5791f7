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
  readonly except?: Wanted['except']
  /** What there is to say of nodes that share nothing, where there is nothing to measure. */
  readonly alone?: string
}

const COLUMNS = [
  { head: 'sticky, each its own memory', variant: Variant.memory },
  { head: 'replicated', variant: Variant.async },
  { head: 'Redis', variant: Variant.redis },
] as const

const COST = { question: 'http-cost', figure: 'cpuPerRequest' } as const

const ASKED: readonly Asked[] = [
  { what: 'median of a request', question: 'latency', figure: 'p50' },
  { what: '99 % of requests', question: 'latency', figure: 'p99' },
  { what: 'CPU per read, three nodes', ...COST, settings: { workload: 'R', nodes: 3 } },
  { what: 'CPU per write, three nodes', ...COST, settings: { workload: 'W', nodes: 3 } },
  {
    what: 'reads elsewhere right after a write that see it (with stamps)',
    question: 'staleness',
    figure: 'fresh0',
    except: { stamps: false },
    alone: 'none: elsewhere it is unknown',
  },
  { what: 'memory per session', question: 'memory', figure: 'rssPerSession' },
  { what: 'bytes per change of 100 B', question: 'wire', figure: 'bytesPerChange', alone: 'none are sent' },
  { what: 'concurrent changes lost', question: 'races', figure: 'lost' },
]

export function comparison(run: BenchRun): Table {
  return {
    caption: 'The three ways',
    head: ['', ...COLUMNS.map(({ head }) => head)],
    rows: [
      said('a node dies', 'its sessions are gone', 'its sessions go on elsewhere', 'its sessions go on elsewhere'),
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

function measuredRow(run: BenchRun, { what, question, figure, settings = {}, except = {}, alone }: Asked): Row {
  const cells = COLUMNS.map(({ variant }) => {
    if (variant === Variant.memory && alone !== undefined) return alone
    const found = figureOf(run, question, figure, { variant, settings, except })
    return found === undefined ? 'not measured' : quantity(found.median, found.unit)
  })
  const variants: readonly string[] = COLUMNS.map(({ variant }) => variant)
  const own = cellsOf(run, question, { figure, settings, except }).filter(({ variant }) => variants.includes(variant))
  return { cells: [what, ...cells], marks: [...new Set(own.flatMap(({ marks }) => marks))], notes: [] }
}
