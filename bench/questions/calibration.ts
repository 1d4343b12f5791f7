/**
 * What do loads of all sorts cost? Not to compare anything, but so that the advisor knows this machine: CPU of the
 * nodes and of Redis, bytes between them, and the slowest of a hundred requests, over a small grid of loads. Some other
 * loads are measured beside the grid and never fitted to: by them the advisor knows how wrong it is. The loads of a
 * series come in an order of chance, so that no kind of load is always the one on the youngest processes.
 */
import { Crowd } from '../load/crowd.js'
import { openLoop, realClock } from '../load/drivers.js'
import { Latencies } from '../load/histogram.js'
import type { LoadResult } from '../load/load.js'
import type { Shape } from '../load/visitor.js'
import { median } from '../method/figures.js'
import { shuffled } from '../method/random.js'
import type { Window } from '../method/window.js'
import type { Question, Sample, Settings, Trial, TrialContext } from '../question.js'
import { redisInfo } from '../rig/redis-info.js'
import type { Site } from '../rig/rig.js'
import type { Variant } from '../variants.js'

const VISITORS = 600
const WORKERS = 16
const CONNECTIONS = 32
/** To each node, and to all together: a lone one gets every request of a load, and has most left to compile. */
const WARM_UP_OF_EACH = 6_000
const WARM_UP_OF_ALL = 15_000
const WARM_UP_PER_SECOND = 2_000
const START_SECONDS = 2
/** Each load is put on in so many stretches, so long to a window's length. CPU is that of all. */
const STRETCHES = 5
const STRETCH = 0.5
/** Before them, unmeasured: what the load before left behind is still being collected, and written behind. */
const LEAD_IN = 1
/** After the warm-up, which leaves most. */
const FIRST_LEAD_IN = 2
/** The p99 of fewer is the slowest of them. */
const REQUESTS_OF_P99 = 100
/** Other processes make the same load cost a tenth more or less: of many loads that evens out, of a single one it does not. */
const ROUNDS = 1
const ROUNDS_OF_HELD_OUT = 3

/** Servers of one variant with sessions of one shape, and the loads that they get one after the other. */
interface Series {
  readonly variant: string
  readonly nodes: number
  readonly shape: Shape
  readonly mixes: readonly Mix[]
  readonly heldOut: boolean
}

interface Mix {
  readonly writes: number
  readonly rate: number
}

const ATTRIBUTES = 10
const SMALL: Shape = { attributes: ATTRIBUTES, bytes: 100 }
const LARGE: Shape = { attributes: ATTRIBUTES, bytes: 1_000 }

/**
 * Every term of the advisor's laws changes beside every other. None keeps one core so busy that work waits: such a load
 * says what the machine can take.
 */
const GRID: readonly Mix[] = [
  { writes: 0.1, rate: 300 },
  { writes: 0.6, rate: 300 },
  { writes: 0.1, rate: 900 },
  { writes: 0.6, rate: 700 },
]

/** Nodes that mostly sleep. */
const AND_SLOW: readonly Mix[] = [...GRID, { writes: 0.3, rate: 120 }]

const SERIES: readonly Series[] = [
  fitted('mesh-async', 1, SMALL),
  fitted('mesh-async', 3, SMALL, AND_SLOW),
  fitted('mesh-async', 5, LARGE),
  fitted('mesh-quorum', 3, LARGE),
  fitted('mesh-quorum', 5, SMALL),
  fitted('mesh-redis', 1, LARGE),
  fitted('mesh-redis', 3, SMALL, AND_SLOW),
  fitted('mesh-redis', 3, LARGE),
  fitted('mesh-tiered-behind', 1, SMALL),
  fitted('mesh-tiered-behind', 1, LARGE),
  fitted('mesh-tiered-behind', 3, SMALL, AND_SLOW),
  fitted('mesh-tiered-behind', 3, LARGE),
  // Drawn by dice (`randomOf(20261121)`) before anything of them was measured; again where one core was expected to be more
  // than 60 % busy, since there may be no p99.
  heldOut('mesh-async', 2, { bytes: 400, writes: 0.35, rate: 800 }),
  heldOut('mesh-async', 4, { bytes: 300, writes: 0.45, rate: 480 }),
  heldOut('mesh-quorum', 4, { bytes: 500, writes: 0.25, rate: 390 }),
  heldOut('mesh-redis', 2, { bytes: 600, writes: 0.2, rate: 720 }),
  heldOut('mesh-redis', 4, { bytes: 500, writes: 0.25, rate: 550 }),
  heldOut('mesh-tiered-behind', 4, { bytes: 300, writes: 0.15, rate: 510 }),
]

function fitted(variant: string, nodes: number, shape: Shape, mixes = GRID): Series {
  return { variant, nodes, shape, mixes, heldOut: false }
}

function heldOut(variant: string, nodes: number, { bytes, ...mix }: Mix & { readonly bytes: number }): Series {
  return { variant, nodes, shape: { attributes: ATTRIBUTES, bytes }, mixes: [mix], heldOut: true }
}

export const question: Question = {
  name: 'calibration',
  title: 'what loads of all sorts cost, for `session-mesh advise`',
  plan: ({ variants, windowSeconds }) =>
    SERIES.flatMap((one) => {
      const variant = variants.find(({ name }) => name === one.variant)
      return variant === undefined ? [] : [trialOf(one, variant, windowSeconds)]
    }),
}

function trialOf(one: Series, variant: Variant, windowSeconds: number): Trial {
  return {
    variant: variant.name,
    group: 'calibration',
    cells: one.mixes.map((mix) => settingsOf(one, mix)),
    seconds: START_SECONDS + warmUpOf(one) / WARM_UP_PER_SECOND + stretchesOf(one) * STRETCH * windowSeconds,
    rounds: one.heldOut ? ROUNDS_OF_HELD_OUT : ROUNDS,
    measure: async (context) => await measure(one, variant, context),
  }
}

function warmUpOf({ nodes }: Series): number {
  return Math.max(WARM_UP_OF_ALL, WARM_UP_OF_EACH * nodes)
}

function stretchesOf({ mixes }: Series): number {
  return FIRST_LEAD_IN + (mixes.length - 1) * LEAD_IN + mixes.length * STRETCHES
}

function settingsOf({ nodes, shape: { attributes, bytes }, heldOut: isHeldOut }: Series, { writes, rate }: Mix): Settings {
  return { nodes, sessionBytes: attributes * bytes, changeBytes: bytes, sessions: VISITORS, writes, rate, heldOut: isHeldOut }
}

async function measure(one: Series, variant: Variant, context: TrialContext): Promise<readonly Sample[]> {
  const { rig, random } = context
  const site = await rig.start(variant, { nodes: one.nodes })
  const crowd = new Crowd(site, { visitors: VISITORS, connections: CONNECTIONS, shape: one.shape, random })
  const samples: Sample[] = []
  try {
    await crowd.settle(WORKERS)
    await crowd.warmUp(WORKERS, warmUpOf(one))
    for (const mix of shuffled(one.mixes, random)) {
      const leadIn = samples.length === 0 ? FIRST_LEAD_IN : LEAD_IN
      samples.push(await measureMix(one, mix, { site, crowd, context, leadIn }))
    }
  } finally {
    await crowd.close()
  }
  return samples
}

interface Scene {
  readonly site: Site
  readonly crowd: Crowd
  readonly context: TrialContext
  /** Stretches. */
  readonly leadIn: number
}

async function measureMix(one: Series, mix: Mix, { site, crowd, context, leadIn }: Scene): Promise<Sample> {
  const { random, signal, windowSeconds } = context
  const { rate, writes } = mix
  const send = async () => await crowd.step(random() < writes ? 'W' : 'R')
  const latencies = new Latencies()
  const { record } = latencies
  const putOn = async (stretches: number): Promise<LoadResult> => {
    return await openLoop({ rate, seconds: stretches * STRETCH * windowSeconds, send, record, signal }, realClock)
  }
  let seen: Seen = { bytes: 0, p99s: [] }
  const load = async (): Promise<LoadResult> => {
    const before = await trafficOf(site)
    const results: LoadResult[] = []
    const p99s: number[] = []
    for (let stretch = 0; stretch < STRETCHES; stretch++) {
      latencies.reset()
      results.push(await putOn(1))
      if (latencies.count >= REQUESTS_OF_P99) p99s.push(latencies.quantile(0.99))
    }
    seen = { bytes: (await trafficOf(site)) - before, p99s }
    return together(results)
  }
  await putOn(leadIn)
  const window = await context.window(load, { intended: rate })
  return sampleOf(settingsOf(one, mix), window, seen)
}

/** From the first answer to the last is one gap less than there were answers. */
function together(results: readonly LoadResult[]): LoadResult {
  const sum = (of: (result: LoadResult) => number): number => results.reduce((all, result) => all + of(result), 0)
  return {
    operations: sum(({ operations }) => operations),
    wrong: sum(({ wrong }) => wrong),
    failed: sum(({ failed }) => failed),
    seconds: sum(({ operations, seconds }) => (seconds * operations) / Math.max(1, operations - 1)),
  }
}

interface Seen {
  readonly bytes: number
  /** Of each stretch that had enough requests. */
  readonly p99s: readonly number[]
}

function sampleOf(settings: Settings, { load, cpuMs, marks, notes }: Window, { bytes, p99s }: Seen): Sample {
  const requests = Math.max(1, load.operations)
  return {
    settings,
    figures: {
      cpuPerRequest: { unit: 'us', value: (cpuMs.server * 1_000) / requests },
      redisCpuPerRequest: { unit: 'us', value: (cpuMs.redis * 1_000) / requests },
      bytesPerRequest: { unit: 'B', value: bytes / requests },
      // Of an ordinary stretch: one in which something stalled says how long that was, and not what the load does.
      ...(p99s.length === 0 ? {} : { p99: { unit: 'ms' as const, value: median(p99s) } }),
      rate: { unit: '1/s', value: load.operations / Math.max(load.seconds, 0.001) },
    },
    marks,
    notes,
  }
}

/** Sent so far: by nodes to each other, and to and from Redis. */
async function trafficOf({ variant, nodes, redis }: Site): Promise<number> {
  const sent = variant.program === 'mesh' ? await Promise.all(nodes.map((node) => node.ask('counters', null))) : []
  const between = sent.reduce((sum, counters) => sum + (counters['session_mesh_sent_bytes_total'] ?? 0), 0)
  if (redis === undefined) return between
  const stats = await redisInfo(redis.port, 'stats')
  return between + (stats.get('total_net_input_bytes') ?? 0) + (stats.get('total_net_output_bytes') ?? 0)
}
