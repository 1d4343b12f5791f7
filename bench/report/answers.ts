/**
 * The first screen: which backend for whom, in sentences that are made of this run's figures and of nothing
 * else.
 */
import type { BenchRun, QuestionName } from '../results.js'
import { cellsOf, figureOf, sessionsIn, type Wanted } from './cells.js'
import { quantity } from './format.js'
import { commandFor, shapeInWords, Variant } from './names.js'
import { crossingInWords } from './sections/scale.js'

export interface Answer {
  readonly id: string
  /** Who asks. */
  readonly who: string
  /** The line of the configuration. */
  readonly choice: string
  /** What speaks for it, and against it, wherever that was measured. */
  readonly facts: readonly Fact[]
  /** What to run for the facts that are missing. */
  readonly missing: readonly string[]
}

export interface Fact {
  readonly value: string
  readonly text: string
}

/** Either the fact, or the question that would tell. */
type Sought = Fact | { readonly unanswered: QuestionName }

export function answers(run: BenchRun): readonly Answer[] {
  return [oneProcess(run), fewNodes(run), manyNodes(run), everythingStops(run), expressSession(run)]
}

/** Of nodes that share their sessions. */
const THREE = { nodes: 3 } as const

function oneProcess(run: BenchRun): Answer {
  return answer('one', 'One process', "{ type: 'memory' }", [
    ratio(run, Variant.memory, 'cpuRatio', 'the CPU of bare Express with a Map'),
    ratio(run, Variant.esMemory, 'cpuRatio', 'with express-session, MemoryStore'),
    value(run, 'latency', 'p50', { variant: Variant.memory, settings: { nodes: 1 } }, 'median of a request'),
  ])
}

function fewNodes(run: BenchRun): Answer {
  return answer('few', 'A few nodes that shall not need a Redis', "{ type: 'replicated' }", [
    value(run, 'replication', 'visibleP50', { variant: Variant.async }, 'until a write is visible on another node'),
    value(run, 'staleness', 'fresh0', { variant: Variant.async, settings: { delayMs: 0, stamps: true } },
      'of reads elsewhere are fresh, with stamps'),
    value(run, 'latency', 'p50', { variant: Variant.async, settings: THREE }, 'median of a request'),
    memoryPerSession(run, Variant.async, 'per session on every node'),
  ])
}

function manyNodes(run: BenchRun): Answer {
  const crossing: Sought =
    figureOf(run, 'scale', 'cpuPerWrite') === undefined
      ? { unanswered: 'scale' }
      : { value: '', text: crossingInWords(run) }
  return answer('many', 'Many nodes, or more sessions than fit into one process', "{ type: 'redis' }", [
    crossing,
    ratio(run, Variant.redis, 'cpuRatio', 'the CPU of bare Express, without that of redis-server'),
    value(run, 'http-cost', 'redisCpuPerRequest', { variant: Variant.redis, settings: { workload: 'M', nodes: 1 } },
      'of CPU in redis-server for each request'),
    value(run, 'latency', 'p50', { variant: Variant.redis, settings: THREE }, 'median of a request, Redis on the same machine'),
    value(run, 'staleness', 'fresh0', { variant: Variant.redis, settings: { delayMs: 0 } }, 'of reads elsewhere are fresh'),
    memoryPerSession(run, Variant.redis, 'per session, once, in Redis'),
  ])
}

function everythingStops(run: BenchRun): Answer {
  return answer('stops', 'All nodes may stop at once and sessions must be there afterwards', "{ type: 'tiered' }", [
    value(run, 'latency', 'p50', { variant: Variant.tieredBehind, settings: THREE }, 'median of a request: Redis is behind'),
    ratio(run, Variant.tieredBehind, 'cpuRatio', 'the CPU of bare Express with a Map'),
  ])
}

function expressSession(run: BenchRun): Answer {
  return answer('store', 'An application on express-session that stays on it', 'new SessionMeshStore(cluster)', [
    ratio(run, Variant.storeMemory, 'cpuRatioToMemoryStore', 'the CPU with MemoryStore'),
    value(run, 'races', 'lost', { variant: Variant.storeMesh }, 'of concurrent changes are lost'),
    value(run, 'races', 'lost', { variant: Variant.esMemory }, 'of them with MemoryStore'),
    value(run, 'races', 'lost', { variant: Variant.esConnectRedis }, 'of them with connect-redis'),
  ])
}

/** Where most sessions were held: there the process itself hardly counts. */
function memoryPerSession(run: BenchRun, variant: string, what: string): Sought {
  const cells = cellsOf(run, 'memory', { variant, figure: 'rssPerSession' })
  const [cell] = cells.toSorted((a, b) => sessionsIn(b) - sessionsIn(a))
  const figure = cell?.figures['rssPerSession']
  if (cell === undefined || figure === undefined) return { unanswered: 'memory' }
  const sessions = `${sessionsIn(cell).toLocaleString('en')} of ${shapeInWords(cell.settings['shape'] ?? '')}`
  return { value: quantity(figure.median, figure.unit), text: `${what}, at ${sessions}` }
}

function answer(id: string, who: string, choice: string, sought: readonly Sought[]): Answer {
  const facts = sought.flatMap((each) => ('unanswered' in each ? [] : [each]))
  const unanswered = new Set(sought.flatMap((each) => ('unanswered' in each ? [each.unanswered] : [])))
  return { id, who, choice, facts, missing: unanswered.size === 0 ? [] : [commandFor(...unanswered)] }
}

function value(run: BenchRun, question: QuestionName, figure: string, wanted: Wanted, text: string): Sought {
  const found = figureOf(run, question, figure, wanted)
  return found === undefined ? { unanswered: question } : { value: quantity(found.median, found.unit), text }
}

/** CPU per request of a mix of 90 % reads, as a ratio. */
function ratio(run: BenchRun, variant: string, figure: 'cpuRatio' | 'cpuRatioToMemoryStore', text: string): Sought {
  return value(run, 'http-cost', figure, { variant, settings: { workload: 'M', nodes: 1 } }, text)
}
