/** Questions whose answers are tables: replication, the wire, joining, races. */
import type { BenchRun, QuestionName } from '../../results.js'
import { cellsOf } from '../cells.js'
import { commandFor } from '../names.js'
import type { Section } from '../section.js'
import { tableOf } from '../tables.js'

interface Listed {
  readonly question: QuestionName
  readonly title: string
  readonly short: string
  readonly lead: string
  readonly columns: readonly (readonly [figure: string, head: string])[]
}

const LISTED: readonly Listed[] = [
  {
    question: 'replication',
    title: 'How replication goes',
    short: 'Replication',
    lead:
      'From the write on one node until another node can answer with it; how many changes a node takes in per second; ' +
      'what a replicated write costs the node it happened on and each other one; when a dead node is noticed.',
    columns: [
      ['visibleP50', 'visible, median'],
      ['visibleP99', 'visible, 99 %'],
      ['deltasPerSecond', 'changes taken in'],
      ['cpuPerDelta', 'CPU for each'],
      ['cpuOrigin', 'CPU, origin'],
      ['cpuPeer', 'CPU, each peer'],
      ['writesPerSecond', 'writes over HTTP'],
      ['httpShareOfOneNode', 'of one node alone'],
      ['noticedReset', 'reset noticed'],
      ['noticedSilence', 'silence noticed'],
    ],
  },
  {
    question: 'wire',
    title: 'What goes over the wire',
    short: 'Wire',
    lead:
      'Bytes of TCP payload to one peer for a change of 100 B, for a request that only reads, and per second while ' +
      'nothing happens. The size of the session must not matter.',
    columns: [
      ['bytesPerChange', 'per change'],
      ['bytesPerAccess', 'per access'],
      ['idleBytesPerSecond', 'idle'],
    ],
  },
  {
    question: 'join',
    title: 'How long a node needs to join',
    short: 'Joining',
    lead: 'From the start of the process until it can serve every session of the cluster, and what that moves.',
    columns: [
      ['ready', 'ready after'],
      ['readyAfterLink', 'of that, after its first link'],
      ['bytes', 'received'],
      ['donorP99', 'requests at the donor, 99 %'],
      ['donorLongest', 'the longest of them'],
    ],
  },
  {
    question: 'races',
    title: 'What concurrent requests lose',
    short: 'Races',
    lead:
      'Two requests change different attributes of one session at the same time: how often is one of them lost? A logout ' +
      'while another request of the session is still writing: how often is the session back?',
    columns: [
      ['lost', 'a change was lost'],
      ['revived', 'the session was back'],
      ['lostIncrements', 'increments lost'],
    ],
  },
]

export function listed(run: BenchRun, wanted: QuestionName): Section {
  const entry = LISTED.find(({ question }) => question === wanted)
  const { title, short, lead, columns } = entry ?? { title: wanted, short: wanted, lead: '', columns: [] }
  const cells = cellsOf(run, wanted)
  const known = columns.map(([figure]) => figure)
  const names = new Set(cells.flatMap(({ figures }) => Object.keys(figures)))
  const others = [...names].filter((name) => !known.includes(name))
  const all = [...columns, ...others.map((name) => [name, name] as const)]
  return {
    id: wanted,
    title,
    short,
    lead,
    findings: [],
    bars: [],
    plots: [],
    tables: cells.length === 0 ? [] : [tableOf(title, cells, all)],
    ...(cells.length === 0 ? { missing: commandFor(wanted) } : {}),
  }
}
