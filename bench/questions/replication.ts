/**
 * How does replication go? From a write on one node until another can answer with it; what a node takes in; what a
 * replicated write costs, as CPU of the processes under the load of HTTP, beside the same load on a node without
 * peers; and when the death of a node is noticed.
 */
import { Crowd, type CrowdOptions } from '../load/crowd.js'
import { closedLoop, realClock } from '../load/drivers.js'
import { NO_LOAD, type LoadResult } from '../load/load.js'
import { quantile } from '../method/figures.js'
import { warmUpFor } from '../method/warm-up.js'
import type { Window } from '../method/window.js'
import type { Measured, PlanOptions, Question, Sample, Settings, Trial, TrialContext } from '../question.js'
import type { Mark } from '../results.js'
import type { Child } from '../rig/child.js'
import { monotonicUs } from '../servers/monotonic.js'
import type { HistoryEntry } from '../servers/orders.js'
import type { Variant } from '../variants.js'

/** Replicated by itself: what else shares sessions has no peers that take in changes. */
const VARIANTS = ['mesh-async', 'mesh-one', 'mesh-quorum', 'mesh-all']
const NODES = 2
const FILLING = { sessions: 1_000, attributes: 10, bytes: 100 } as const

const VISIBLE_RATE = 200
const VISIBLE_WINDOWS = 2
const WARM_UP_WRITES = 20_000
/** Fewer bytes than a link queues for a peer that does not read. */
const PILE = { writes: 40_000, bytes: 100 } as const
const PILES = 3
const VISITORS = 400
const WORKERS = 16
const WARM_UP_REQUESTS = 16_000
/** Alternately without and with peers, so that what the machine does in between falls on both. */
const TURNS = 2
/** A silent node is noticed after 3 s; nothing here takes longer. */
const NOTICED_WITHIN_MS = 20_000
const US_PER_MS = 1_000

export const question: Question = {
  name: 'replication',
  title: 'how long a change takes to another node, how many are taken in, and what that costs',
  plan: (options) => {
    const wanted = options.mode === 'full' ? VARIANTS : VARIANTS.slice(0, 1)
    const variants = options.variants.filter(({ name }) => wanted.includes(name))
    return [
      ...variants.map((variant) => visibleTrial(variant, options)),
      ...variants.filter(isPlain).flatMap((variant) => plainTrials(variant, options)),
    ]
  },
}

function isPlain({ name }: Variant): boolean {
  return name === 'mesh-async'
}

function visibleTrial(variant: Variant, { windowSeconds }: PlanOptions): Trial {
  return {
    variant: variant.name,
    group: 'visible',
    cells: [{ rate: VISIBLE_RATE }],
    seconds: 2 + VISIBLE_WINDOWS * windowSeconds,
    measure: async (context) => [await visible(variant, context)],
  }
}

function plainTrials(variant: Variant, { windowSeconds }: PlanOptions): readonly Trial[] {
  type Measure = (context: TrialContext) => Promise<Sample>
  const of = (what: string, settings: Settings, seconds: number, measure: Measure): Trial => ({
    variant: variant.name,
    group: what,
    cells: [settings],
    seconds,
    measure: async (context) => [await measure(context)],
  })
  return [
    of('taken in', { bytes: PILE.bytes }, 5, async (context) => await takenIn(variant, context)),
    of('cost', { workload: 'W' }, 6 + 3 * TURNS * windowSeconds, async (context) => await cost(variant, context)),
    { ...of('noticed', { nodes: NODES }, 8, async (context) => await noticed(variant, context)), rounds: 1 },
  ]
}

// ── Visible ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Each node on a core of its own, and nothing else to do: from the moment of the write to a read that finds it. */
async function visible(variant: Variant, context: TrialContext): Promise<Sample> {
  const { rig, windowSeconds } = context
  const { nodes } = await rig.start(variant, { nodes: NODES, spread: true })
  const [origin, peer] = both(nodes)
  await origin.ask('fill', FILLING)
  await peer.ask('watch', null)
  const writing = { rate: VISIBLE_RATE, bytes: FILLING.bytes }
  // So that the code is compiled, as it is in a process that has run for a while.
  await origin.ask('rush', { ...PILE, writes: WARM_UP_WRITES, confirmed: true })
  await origin.ask('write', { ...writing, seconds: 0.5 })
  const { load, marks, notes } = await context.window(async () => {
    const before = (await peer.ask('seen', null)).length
    const written = await origin.ask('write', { ...writing, seconds: VISIBLE_WINDOWS * windowSeconds })
    const seen = await seenBy(peer, before, written.length)
    const waits = written.map(([version, atUs]) => (seen.get(version) ?? NaN) - atUs)
    const wrong = waits.filter((wait) => !(wait >= 0)).length
    return { ...NO_LOAD, operations: written.length, wrong, waits: waits.filter((wait) => wait >= 0) }
  })
  return {
    settings: { rate: VISIBLE_RATE },
    figures: { visibleP50: us(quantile(load.waits, 0.5)), visibleP99: us(quantile(load.waits, 0.99)) },
    marks,
    notes,
  }
}

/** By version; waits until there are so many, for the last ones are on their way. */
async function seenBy(peer: Child, before: number, count: number): Promise<ReadonlyMap<number, number>> {
  for (let tries = 0; ; tries++) {
    const seen = (await peer.ask('seen', null)).slice(before)
    if (seen.length >= count || tries === 50) return new Map(seen)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

// ── Taken in ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * One node is stopped while the other makes changes, and goes on: how fast it takes in what waits for it. Each has a
 * core of its own, so that the one which made them does not set the pace.
 */
async function takenIn(variant: Variant, context: TrialContext): Promise<Sample> {
  const { nodes } = await context.rig.start(variant, { nodes: NODES, spread: true })
  const [origin, peer] = both(nodes)
  await origin.ask('fill', FILLING)
  await origin.ask('rush', { ...PILE, confirmed: true })
  const { load, marks, notes } = await context.window(async () => {
    let [seconds, busyMs] = [0, 0]
    for (let pile = 0; pile < PILES; pile++) {
      peer.signal('SIGSTOP')
      const before = await peer.cpuMs()
      await origin.ask('rush', { ...PILE, confirmed: false })
      const startedMs = performance.now()
      peer.signal('SIGCONT')
      // Links keep the order: with the last one confirmed, all are in.
      await origin.ask('rush', { ...PILE, writes: 1, confirmed: true })
      seconds += (performance.now() - startedMs) / 1_000
      busyMs += (await peer.cpuMs()) - before
    }
    return { ...NO_LOAD, operations: PILES * (PILE.writes + 1), seconds, busyMs }
  })
  return {
    settings: { bytes: PILE.bytes },
    figures: {
      deltasPerSecond: { unit: '1/s', value: load.operations / load.seconds },
      cpuPerDelta: us((load.busyMs * US_PER_MS) / load.operations),
    },
    marks,
    notes,
  }
}

// ── Cost ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** One window: what was written in it, and what each node used. */
interface Turn {
  readonly writes: number
  readonly seconds: number
  /** CPU milliseconds: of the node without peers, and of the two that are connected. */
  readonly alone: number
  readonly origin: number
  readonly peer: number
}

/**
 * All servers on the cores of servers, as busy as they can be. `cpuOrigin`: CPU per write of the node that is written
 * to, with a peer, minus that without; `cpuPeer`: of the other, minus what it uses while nobody writes.
 * `httpShareOfOneNode`: writes per second of two nodes, both written to, to those of one alone on the same cores.
 */
async function cost(variant: Variant, context: TrialContext): Promise<Sample> {
  const { rig, random } = context
  const alone = await rig.start(variant, { nodes: 1 })
  const pair = await rig.start(variant, { nodes: NODES })
  const marks: Mark[] = []
  const notes: string[] = []
  const sites = [alone, { ...pair, nodes: pair.nodes.slice(0, 1) }, pair]
  const crowds = sites.map((site) => new Crowd(site, { ...CROWD, random }))
  const turns: Turn[][] = crowds.map(() => [])
  try {
    for (const crowd of crowds) {
      await crowd.settle(WORKERS)
      await crowd.warmUp(WORKERS, warmUpFor(context.windowSeconds, WARM_UP_REQUESTS))
    }
    for (let times = 0; times < TURNS; times++) {
      for (const [i, crowd] of crowds.entries()) {
        const { turn, window } = await writeTo(crowd, [...alone.nodes, ...pair.nodes], context)
        turns[i]?.push(turn)
        marks.push(...window.marks)
        notes.push(...window.notes)
      }
    }
  } finally {
    await Promise.all(crowds.map((crowd) => crowd.close()))
  }
  const [toAlone, toOne, toBoth] = turns.map(summed)
  if (toAlone === undefined || toOne === undefined || toBoth === undefined) throw new Error('nothing was written')
  const rate = ({ writes, seconds }: Turn): number => writes / seconds
  const idlePeerMs = (toAlone.peer / toAlone.seconds) * toOne.seconds
  return {
    settings: { workload: 'W' },
    figures: {
      cpuOrigin: us((toOne.origin / toOne.writes - toAlone.alone / toAlone.writes) * US_PER_MS),
      cpuPeer: us(((toOne.peer - idlePeerMs) / toOne.writes) * US_PER_MS),
      cpuPeerIdle: { unit: 'share', value: toAlone.peer / toAlone.seconds / 1_000 },
      httpShareOfOneNode: { unit: 'ratio', value: rate(toBoth) / rate(toAlone) },
      writesPerSecond: { unit: '1/s', value: rate(toBoth) },
    },
    marks: [...new Set(marks)],
    notes,
  }
}

const CROWD: Omit<CrowdOptions, 'random'> = { visitors: VISITORS, connections: WORKERS }

async function writeTo(
  crowd: Crowd,
  nodes: readonly Child[],
  context: TrialContext,
): Promise<{ readonly turn: Turn; readonly window: Window }> {
  const { signal, windowSeconds } = context
  const used = async (): Promise<readonly number[]> => await Promise.all(nodes.map((node) => node.cpuMs()))
  const window = await context.window(async () => {
    const step = async () => await crowd.step('W')
    const before = await used()
    const load: LoadResult = await closedLoop({ workers: WORKERS, seconds: windowSeconds, step, signal }, realClock)
    const after = await used()
    return { ...load, cpuMs: after.map((ms, i) => ms - (before[i] ?? 0)) }
  })
  const { operations: writes, seconds, cpuMs } = window.load
  const [alone = 0, origin = 0, peer = 0] = cpuMs
  return { turn: { writes, seconds, alone, origin, peer }, window }
}

function summed(turns: readonly Turn[]): Turn {
  const sum = (figure: keyof Turn): number => turns.reduce((total, turn) => total + turn[figure], 0)
  return { writes: sum('writes'), seconds: sum('seconds'), alone: sum('alone'), origin: sum('origin'), peer: sum('peer') }
}

// ── Noticed ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** What the survivor says of its links, after the other was killed, and after another was stopped without a word. */
async function noticed(variant: Variant, { rig }: TrialContext): Promise<Sample> {
  const { nodes } = await rig.start(variant, { nodes: NODES + 1 })
  const [survivor, killed, stopped] = nodes
  if (survivor === undefined || killed === undefined || stopped === undefined) throw new Error('three nodes are needed')
  const reset = await downAfter(survivor, () => void killed.kill())
  const silence = await downAfter(survivor, () => stopped.signal('SIGSTOP'))
  return {
    settings: { nodes: NODES },
    figures: { noticedReset: { unit: 'ms', value: reset }, noticedSilence: { unit: 'ms', value: silence } },
  }
}

/** Milliseconds from `end` to the next loss of a link of the survivor. */
async function downAfter(survivor: Child, end: () => void): Promise<number> {
  const downs = async (): Promise<readonly HistoryEntry[]> => {
    return (await survivor.ask('history', null)).filter(({ event }) => event === 'link-down')
  }
  // Two nodes that dialled each other have given up one link of two by now.
  const before = (await downs()).length
  const fromUs = monotonicUs()
  end()
  while (monotonicUs() - fromUs < NOTICED_WITHIN_MS * 1_000) {
    const next = (await downs())[before]
    if (next !== undefined) return (next.atUs - fromUs) / 1_000
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`a node that ended was not noticed within ${NOTICED_WITHIN_MS} ms`)
}

// ── Words ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function both(nodes: readonly Child[]): readonly [Child, Child] {
  const [origin, peer] = nodes
  if (origin === undefined || peer === undefined) throw new Error('two nodes are needed')
  return [origin, peer]
}

function us(value: number): Measured {
  return { unit: 'us', value }
}
