/**
 * How long does a request take at 1,000 per second? Nine reads to one write, from the moment each was meant to be sent;
 * far below what any of the servers can do, so that what is seen is the way a request takes, not a queue.
 */
import { Crowd } from '../load/crowd.js'
import { openLoop, realClock } from '../load/drivers.js'
import { Latencies } from '../load/histogram.js'
import type { LoadResult } from '../load/load.js'
import { warmUpFor } from '../method/warm-up.js'
import type { PlanOptions, Question, Sample, Trial, TrialContext } from '../question.js'
import type { Variant } from '../variants.js'

const RATE = 1_000
const VISITORS = 1_000
const WORKERS = 16
const CONNECTIONS = 64
const WARM_UP_REQUESTS = 10_000
const SETUP_SECONDS = 5
const STANDARD = ['floor', 'es-memory', 'es-connect-redis', 'mesh-memory', 'mesh-redis']
const STANDARD_OF_MORE = ['mesh-async', 'mesh-all', 'mesh-redis']
const FULL = [...STANDARD, 'raw-http', 'store-memory']
const FULL_OF_MORE = [...STANDARD_OF_MORE, 'es-connect-redis', 'mesh-one', 'mesh-tiered-behind']
/** Long enough for a p99.9 that is not one request. */
const WINDOWS = 2

export const question: Question = {
  name: 'latency',
  title: 'how long a request takes at 1,000 per second',
  plan: (options) => {
    const { variants, mode, chosen, nodes = [1, 3] } = options
    return nodes.flatMap((count) => {
      const [standard, full] = count === 1 ? [STANDARD, FULL] : [STANDARD_OF_MORE, FULL_OF_MORE]
      const wanted = mode === 'full' ? full : standard
      const taking = variants.filter(({ name, shared }) => {
        return (count === 1 || shared) && (chosen || wanted.includes(name) || name === 'yours')
      })
      return taking.map((variant) => trialOf(variant, count, options))
    })
  },
}

function trialOf(variant: Variant, nodes: number, { windowSeconds }: PlanOptions): Trial {
  return {
    variant: variant.name,
    group: 'latency',
    cells: [{ rate: RATE, nodes }],
    seconds: SETUP_SECONDS + WINDOWS * windowSeconds,
    measure: async (context) => [await measure(variant, nodes, context)],
  }
}

async function measure(variant: Variant, nodes: number, context: TrialContext): Promise<Sample> {
  const { rig, random, signal, windowSeconds } = context
  const crowd = new Crowd(await rig.start(variant, { nodes }), { visitors: VISITORS, connections: CONNECTIONS, random })
  const latencies = new Latencies()
  try {
    await crowd.settle(WORKERS)
    await crowd.warmUp(WORKERS, warmUpFor(windowSeconds, WARM_UP_REQUESTS * nodes))
    const load = async (): Promise<LoadResult> => {
      latencies.reset()
      const send = async () => await crowd.step('M')
      const { record } = latencies
      return await openLoop({ rate: RATE, seconds: WINDOWS * windowSeconds, send, record, signal }, realClock)
    }
    const { marks, notes } = await context.window(load, { intended: RATE })
    const ms = (share: number) => ({ unit: 'ms' as const, value: latencies.quantile(share) })
    return {
      settings: { rate: RATE, nodes },
      figures: { p50: ms(0.5), p99: ms(0.99), p999: ms(0.999) },
      curves: { latency: latencies.curve() },
      marks,
      notes,
    }
  } finally {
    await crowd.close()
  }
}
