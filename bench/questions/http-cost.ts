/**
 * What does a session cost per request? CPU of the server processes, as the operating system counted it, under a load
 * that keeps them busy: ten attributes of 100 bytes; R reads one, W replaces one, M does nine R to one W, C begins a
 * session. Every browser stays on its server, so that nodes which share nothing can be compared with those that do.
 */
import { realClock, closedLoop } from '../load/drivers.js'
import { Crowd, WORKLOADS } from '../load/crowd.js'
import type { LoadResult } from '../load/load.js'
import { warmUpFor } from '../method/warm-up.js'
import type { Window } from '../method/window.js'
import type { PlanOptions, Question, Ratio, Sample, Settings, Trial, TrialContext } from '../question.js'
import type { Variant } from '../variants.js'

const VISITORS = 1_000
const WORKERS = 16
/** To each node, of all kinds: until the compiler has nothing left to do. */
const WARM_UP_REQUESTS = 12_000
/** Starting the processes, making the sessions, warming up. */
const SETUP_SECONDS = 4
/** Reading all sessions after a window. */
const VERIFY_SECONDS = 0.25
/** A generator this busy may have been what limited the throughput. */
const GENERATOR_BUSY = 0.95

/** On one node: what the goals speak of, and what they are compared with. */
const QUICK = ['floor', 'es-memory', 'es-connect-redis', 'mesh-memory', 'mesh-redis', 'store-memory']
const STANDARD = [...QUICK, 'raw-http']
/** On several. */
const QUICK_OF_MORE = ['mesh-memory', 'mesh-async', 'mesh-redis']
const STANDARD_OF_MORE = [...QUICK_OF_MORE, 'es-connect-redis']
const FULL = [...STANDARD, 'es-memorystore', 'mesh-async', 'mesh-tiered-behind', 'store-mesh']
const FULL_OF_MORE = [...STANDARD_OF_MORE, 'mesh-tiered-behind', 'store-mesh']

export const question: Question = {
  name: 'http-cost',
  title: 'CPU of the servers per request, and how many requests go through',
  ratios: [
    { figure: 'cpuRatio', of: 'cpuPerRequest', to: (_, { workload = '' }) => at('floor', workload, 1) },
    {
      figure: 'cpuRatioToUnconnected',
      of: 'cpuPerRequest',
      to: (variant, { workload = '', nodes = 1 }) =>
        nodes === 1 || variant === 'mesh-memory' ? undefined : at('mesh-memory', workload, Number(nodes)),
    },
    {
      figure: 'cpuRatioToMemoryStore',
      of: 'cpuPerRequest',
      to: (variant, { workload = '' }) => (isExpressSession(variant) ? at('es-memory', workload, 1) : undefined),
    },
  ],
  plan: (options) => {
    const { nodes = [1, 3] } = options
    return nodes.flatMap((count) => variantsFor(options, count).map((variant) => trialOf(variant, count, options)))
  },
}

/** On more than one node: those that share sessions, and nodes of session-mesh that do not, to compare with. */
function variantsFor({ mode, variants, chosen }: PlanOptions, nodes: number): readonly Variant[] {
  const wanted = {
    quick: nodes === 1 ? QUICK : QUICK_OF_MORE,
    standard: nodes === 1 ? STANDARD : STANDARD_OF_MORE,
    full: nodes === 1 ? FULL : FULL_OF_MORE,
  }[mode]
  return variants.filter(({ name, shared }) => {
    if (nodes > 1 && !shared && name !== 'mesh-memory') return false
    return chosen || wanted.includes(name) || name === 'yours'
  })
}

function trialOf(variant: Variant, nodes: number, { windowSeconds }: PlanOptions): Trial {
  return {
    variant: variant.name,
    group: 'http-cost',
    cells: WORKLOADS.map((workload) => ({ workload, nodes })),
    seconds: SETUP_SECONDS * nodes + WORKLOADS.length * (windowSeconds + VERIFY_SECONDS),
    measure: async (context) => await measure(variant, nodes, context),
  }
}

async function measure(variant: Variant, nodes: number, context: TrialContext): Promise<readonly Sample[]> {
  const { rig, random, signal, windowSeconds } = context
  const crowd = new Crowd(await rig.start(variant, { nodes }), { visitors: VISITORS, connections: WORKERS, random })
  const samples: Sample[] = []
  try {
    await crowd.settle(WORKERS)
    await crowd.warmUp(WORKERS, warmUpFor(windowSeconds, WARM_UP_REQUESTS * nodes))
    for (const workload of WORKLOADS) {
      const load = async (): Promise<LoadResult> => {
        const step = async () => await crowd.step(workload)
        return await closedLoop({ workers: WORKERS, seconds: windowSeconds, step, signal }, realClock)
      }
      const window = await context.window(load)
      const { wrong } = await crowd.verify(WORKERS)
      samples.push(sampleOf({ workload, nodes }, window, wrong))
    }
  } finally {
    await crowd.close()
  }
  return samples
}

function sampleOf(settings: Settings, window: Window, wrongLater: number): Sample {
  const { load, seconds, cpuMs } = window
  const perRequest = (ms: number): number => (ms * 1_000) / Math.max(1, load.operations)
  const notes = [...window.notes]
  if (cpuMs.generator > GENERATOR_BUSY * seconds * 1_000) notes.push('the load may have limited the throughput')
  if (wrongLater > 0) notes.push(`${wrongLater} of ${VISITORS} sessions did not hold what was acknowledged`)
  return {
    settings,
    figures: {
      cpuPerRequest: { unit: 'us', value: perRequest(cpuMs.server) },
      throughput: { unit: '1/s', value: load.operations / load.seconds },
      ...(cpuMs.redis > 0 ? { redisCpuPerRequest: { unit: 'us' as const, value: perRequest(cpuMs.redis) } } : {}),
    },
    marks: wrongLater > 0 ? [...window.marks, 'wrong'] : window.marks,
    notes,
  }
}

function at(variant: string, workload: Settings[string], nodes: number): ReturnType<Ratio['to']> {
  return { variant, settings: { workload, nodes } }
}

function isExpressSession(variant: string): boolean {
  return variant.startsWith('es-') || variant.startsWith('store-')
}
