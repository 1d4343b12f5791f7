/**
 * What do loads of all sorts cost? Not to compare anything, but so that the advisor knows this machine: CPU of the
 * nodes and of Redis, bytes between them, and the slowest of a hundred requests, over a small grid of loads. Some other
 * loads are measured beside the grid and never fitted to: by them the advisor knows how wrong it is.
 */
import { Crowd } from '../load/crowd.js'
import { openLoop, realClock } from '../load/drivers.js'
import { Latencies } from '../load/histogram.js'
import type { LoadResult } from '../load/load.js'
import type { Shape } from '../load/visitor.js'
import type { Window } from '../method/window.js'
import type { Question, Sample, Settings, Trial, TrialContext } from '../question.js'
import { redisInfo } from '../rig/redis-info.js'
import type { Site } from '../rig/rig.js'
import type { Variant } from '../variants.js'

const VISITORS = 600
const WORKERS = 16
const CONNECTIONS = 32
const WARM_UP_REQUESTS = 6_000
const SETUP_SECONDS = 4
/** Of the mode's length, for each load: CPU time comes in hundredths of a second. */
const WINDOWS = 1.5
const ROUNDS = 1
const ATTRIBUTES = 10

/** Servers of one variant with sessions of one size, and the loads that they get one after the other. */
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

const small: Shape = { attributes: ATTRIBUTES, bytes: 100 }
const medium: Shape = { attributes: ATTRIBUTES, bytes: 400 }
const large: Shape = { attributes: ATTRIBUTES, bytes: 1_000 }

/** Every term of the advisor's laws changes beside every other. */
const GRID: readonly Mix[] = [
  { writes: 0.3, rate: 60 },
  { writes: 0.1, rate: 300 },
  { writes: 0.6, rate: 300 },
  { writes: 0.1, rate: 1_200 },
  { writes: 0.6, rate: 1_200 },
]
const OTHERS: readonly Mix[] = [{ writes: 0.3, rate: 700 }]

const series = (variant: string, nodes: readonly number[], shapes: readonly Shape[]): readonly Series[] => {
  const fitted = { variant, mixes: GRID, heldOut: false }
  return nodes.flatMap((count) => shapes.map((shape) => ({ ...fitted, nodes: count, shape })))
}

const heldOut = (variant: string, nodes: number, shape: Shape): Series => {
  return { variant, nodes, shape, mixes: OTHERS, heldOut: true }
}

const SERIES: readonly Series[] = [
  ...series('floor', [1], [small]),
  ...series('mesh-async', [1, 3, 5], [small, large]),
  ...series('mesh-quorum', [3, 5], [small, large]),
  ...series('mesh-redis', [1, 3], [small, large]),
  ...series('mesh-tiered-behind', [1, 3], [small, large]),
  heldOut('mesh-async', 2, medium),
  heldOut('mesh-async', 4, small),
  heldOut('mesh-quorum', 4, medium),
  heldOut('mesh-redis', 2, medium),
  heldOut('mesh-redis', 4, small),
  heldOut('mesh-tiered-behind', 2, medium),
]

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
    seconds: SETUP_SECONDS + one.mixes.length * WINDOWS * windowSeconds,
    rounds: ROUNDS,
    measure: async (context) => await measure(one, variant, context),
  }
}

function settingsOf({ nodes, shape, heldOut: isHeldOut }: Series, { writes, rate }: Mix): Settings {
  const sessionBytes = shape.attributes * shape.bytes
  return { nodes, sessionBytes, changeBytes: shape.bytes, sessions: VISITORS, writes, rate, heldOut: isHeldOut }
}

async function measure(one: Series, variant: Variant, context: TrialContext): Promise<readonly Sample[]> {
  const { rig, random, signal, windowSeconds } = context
  const site = await rig.start(variant, { nodes: one.nodes })
  const crowd = new Crowd(site, { visitors: VISITORS, connections: CONNECTIONS, shape: one.shape, random })
  const latencies = new Latencies()
  const samples: Sample[] = []
  try {
    await crowd.settle(WORKERS)
    await crowd.warmUp(WORKERS, WARM_UP_REQUESTS * one.nodes)
    for (const { writes, rate } of one.mixes) {
      const send = async () => await crowd.step(random() < writes ? 'W' : 'R')
      const { record } = latencies
      let bytes = 0
      const load = async (): Promise<LoadResult> => {
        latencies.reset()
        const before = await trafficOf(site)
        const result = await openLoop({ rate, seconds: WINDOWS * windowSeconds, send, record, signal }, realClock)
        bytes = (await trafficOf(site)) - before
        return result
      }
      const window = await context.window(load, { intended: rate })
      const p99 = latencies.quantile(0.99)
      samples.push(sampleOf(settingsOf(one, { writes, rate }), window, { bytes, p99 }))
    }
  } finally {
    await crowd.close()
  }
  return samples
}

interface Seen {
  readonly bytes: number
  readonly p99: number
}

function sampleOf(settings: Settings, { load, cpuMs, marks, notes }: Window, { bytes, p99 }: Seen): Sample {
  const requests = Math.max(1, load.operations)
  return {
    settings,
    figures: {
      cpuPerRequest: { unit: 'us', value: (cpuMs.server * 1_000) / requests },
      redisCpuPerRequest: { unit: 'us', value: (cpuMs.redis * 1_000) / requests },
      bytesPerRequest: { unit: 'B', value: bytes / requests },
      p99: { unit: 'ms', value: p99 },
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
