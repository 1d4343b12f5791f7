/**
 * Where does the CPU of a request go? The servers are sampled while they are as busy as they can be; what each sample was
 * in counts for whoever's code that is. Sampling costs something itself: these figures are for shares, `http-cost` is for
 * sums.
 */
import { Crowd } from '../load/crowd.js'
import { closedLoop, realClock } from '../load/drivers.js'
import type { LoadResult } from '../load/load.js'
import { byRoom, type Room } from '../method/rooms.js'
import { warmUpFor } from '../method/warm-up.js'
import type { Measured, Question, Sample, Trial, TrialContext } from '../question.js'
import type { SampledTimes } from '../servers/orders.js'
import type { Variant } from '../variants.js'

const SITES = [
  ['floor', 1],
  ['es-memory', 1],
  ['mesh-memory', 1],
  ['mesh-redis', 1],
  ['mesh-memory', 3],
  ['mesh-async', 3],
] as const

const WORKLOADS = ['R', 'W', 'C'] as const
const VISITORS = 1_000
const WORKERS = 16
/** To each node: as for `http-cost`. */
const WARM_UP_REQUESTS = 12_000
const SETUP_SECONDS = 4

export const question: Question = {
  name: 'profile',
  title: 'whose code the CPU of a request goes to',
  plan: ({ variants, windowSeconds }) =>
    SITES.flatMap(([name, nodes]) => {
      const variant = variants.find((one) => one.name === name)
      return variant === undefined ? [] : [trialOf(variant, nodes, windowSeconds)]
    }),
}

function trialOf(variant: Variant, nodes: number, windowSeconds: number): Trial {
  return {
    variant: variant.name,
    group: 'profile',
    cells: WORKLOADS.map((workload) => ({ workload, nodes })),
    seconds: SETUP_SECONDS * nodes + WORKLOADS.length * windowSeconds,
    rounds: 1,
    measure: async (context) => await measure(variant, nodes, context),
  }
}

async function measure(variant: Variant, nodes: number, context: TrialContext): Promise<readonly Sample[]> {
  const { rig, random, signal, windowSeconds } = context
  const site = await rig.start(variant, { nodes })
  const crowd = new Crowd(site, { visitors: VISITORS, connections: WORKERS, random })
  const samples: Sample[] = []
  try {
    await crowd.settle(WORKERS)
    await crowd.warmUp(WORKERS, warmUpFor(windowSeconds, WARM_UP_REQUESTS * nodes))
    for (const workload of WORKLOADS) {
      let sampled: readonly SampledTimes[] = []
      const window = await context.window(async () => {
        await Promise.all(site.nodes.map((node) => node.ask('sample', null)))
        const step = async () => await crowd.step(workload)
        const load: LoadResult = await closedLoop({ workers: WORKERS, seconds: windowSeconds, step, signal }, realClock)
        sampled = await Promise.all(site.nodes.map((node) => node.ask('sampled', null)))
        return load
      })
      const { load, marks, notes } = window
      samples.push({ settings: { workload, nodes }, figures: figuresOf(sampled, load.operations), marks, notes })
    }
  } finally {
    await crowd.close()
  }
  return samples
}

/** Microseconds per request, of all nodes together; what no main thread did is that of compiler and collector. */
function figuresOf(nodes: readonly SampledTimes[], requests: number): Readonly<Record<string, Measured>> {
  const perRequest = (us: number): Measured => ({ unit: 'us', value: us / Math.max(1, requests) })
  const usedUs = nodes.reduce((sum, { cpuMs }) => sum + cpuMs * 1_000, 0)
  const sums = new Map<Room, number>()
  for (const { times } of nodes) for (const [room, us] of byRoom(times)) sums.set(room, (sums.get(room) ?? 0) + us)
  const sampled = [...sums.values()].reduce((sum, us) => sum + us, 0)
  // Samples count the clock: where a core is shared, also the time in which somebody else had it.
  const share = Math.min(1, usedUs / Math.max(1, sampled))
  return {
    cpuSampled: perRequest(usedUs),
    ...Object.fromEntries([...sums].map(([room, us]) => [room, perRequest(us * share)])),
    otherThreads: perRequest(usedUs - sampled * share),
  }
}
