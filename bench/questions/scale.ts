/**
 * What do more nodes cost? CPU of all nodes together (and of redis-server, where it serves them) for one write and for
 * one read, and what a write puts on the wire: by real processes up to eight; beyond, bytes by simulation, and the rest
 * by the straight line that was measured. Such cells say so.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { Crowd } from '../load/crowd.js'
import { closedLoop, realClock } from '../load/drivers.js'
import { simulate } from '../load/simulated.js'
import { Line } from '../method/line.js'
import { warmUpFor } from '../method/warm-up.js'
import type { Measured, Mode, PlanOptions, Question, Sample, Trial, TrialContext } from '../question.js'
import { redisInfo } from '../rig/redis-info.js'
import type { Site } from '../rig/rig.js'
import type { Variant } from '../variants.js'

const MESH = 'mesh-async'
const VARIANTS = [MESH, 'mesh-redis']
const NODES: Readonly<Record<Mode, readonly number[]>> = {
  quick: [1, 3],
  standard: [1, 2, 3, 5, 8],
  full: [1, 2, 3, 5, 8],
}
/** Starting eight nodes takes longer than measuring them. */
const ROUNDS: Readonly<Record<Mode, number>> = { quick: 1, standard: 1, full: 2 }
const SIMULATED = [10, 30, 100]
const COMPUTED = [300, 1_000]

const VISITORS = 400
const WORKERS = 16
/** Of each node: all have code to compile. */
const WARM_UP_REQUESTS = 6_000
const SIMULATED_LOAD = { writes: 600, bytes: 100 } as const

export const question: Question = {
  name: 'scale',
  title: 'CPU and bytes of a write and of a read, by the number of nodes',
  plan: (options) => {
    const { mode, variants, nodes = NODES[mode] } = options
    const taking = variants.filter(({ name }) => VARIANTS.includes(name))
    const lines = new Lines()
    const real = nodes.flatMap((count) => taking.map((variant) => realTrial(variant, count, lines, options)))
    const isReplicated = taking.some(({ name }) => name === MESH)
    return mode === 'quick' || !isReplicated ? real : [...real, beyondTrial(lines)]
  },
}

/** What was measured of replication, for the lines beyond it. */
class Lines {
  readonly cpuPerWrite = new Line()
  readonly cpuPerRead = new Line()
}

// ── Real processes ────────────────────────────────────────────────────────────────────────────────────────────────

function realTrial(variant: Variant, nodes: number, lines: Lines, { mode, windowSeconds }: PlanOptions): Trial {
  return {
    variant: variant.name,
    group: 'real processes',
    cells: [{ nodes }],
    seconds: 2 + 3 * nodes + 2 * windowSeconds,
    rounds: ROUNDS[mode],
    measure: async (context) => {
      const sample = await measure(variant, nodes, context)
      const { cpuPerWrite, cpuPerRead } = sample.figures
      if (variant.name === MESH && !sample.marks?.includes('void')) {
        if (cpuPerWrite !== undefined) lines.cpuPerWrite.add(nodes, cpuPerWrite.value)
        if (cpuPerRead !== undefined) lines.cpuPerRead.add(nodes, cpuPerRead.value)
      }
      return [sample]
    },
  }
}

/** Every browser stays on its node, and all nodes have as many. */
async function measure(variant: Variant, nodes: number, context: TrialContext): Promise<Sample> {
  const { rig, random, signal, windowSeconds } = context
  const site = await rig.start(variant, { nodes })
  const crowd = new Crowd(site, { visitors: VISITORS, connections: WORKERS, random })
  const put = async (workload: 'R' | 'W') => {
    return await context.window(async () => {
      const step = async () => await crowd.step(workload)
      const before = await bytesOnWire(site)
      const load = await closedLoop({ workers: WORKERS, seconds: windowSeconds, step, signal }, realClock)
      return { ...load, bytes: (await bytesOnWire(site)) - before }
    })
  }
  try {
    await crowd.settle(WORKERS)
    await crowd.warmUp(WORKERS, warmUpFor(windowSeconds, WARM_UP_REQUESTS * nodes))
    const [writes, reads] = [await put('W'), await put('R')]
    const perRequest = ({ load, cpuMs }: typeof writes): Measured => {
      return { unit: 'us', value: ((cpuMs.server + cpuMs.redis) * 1_000) / Math.max(1, load.operations) }
    }
    return {
      settings: { nodes },
      figures: {
        cpuPerWrite: perRequest(writes),
        cpuPerRead: perRequest(reads),
        bytesPerWrite: { unit: 'B', value: writes.load.bytes / Math.max(1, writes.load.operations) },
      },
      marks: [...new Set([...writes.marks, ...reads.marks])],
      notes: [...new Set([...writes.notes, ...reads.notes])],
    }
  } finally {
    await crowd.close()
  }
}

/** All that nodes sent to each other, or that Redis received and sent. */
async function bytesOnWire({ nodes, redis }: Site): Promise<number> {
  if (redis !== undefined) {
    const stats = await redisInfo(redis.port, 'stats')
    return (stats.get('total_net_input_bytes') ?? 0) + (stats.get('total_net_output_bytes') ?? 0)
  }
  const counters = await Promise.all(nodes.map((node) => node.ask('counters', null)))
  return counters.reduce((sum, counted) => sum + (counted['session_mesh_sent_bytes_total'] ?? 0), 0)
}

// ── Beyond what a machine can hold ────────────────────────────────────────────────────────────────────────────────

/** After all real ones: it continues their lines. */
function beyondTrial(lines: Lines): Trial {
  return {
    variant: MESH,
    group: 'beyond',
    cells: [...SIMULATED, ...COMPUTED].map((nodes) => ({ nodes })),
    seconds: 30,
    rounds: 1,
    measure: async ({ random, signal }) => {
      const seed = Math.floor(random() * 2 ** 32)
      const simulated: Sample[] = []
      const bytes = new Line()
      for (const nodes of SIMULATED) {
        // A simulation does not let go before it ends: here Ctrl-C is heard.
        await turn()
        if (signal.aborted) return []
        const figures = simulate({ nodes, ...SIMULATED_LOAD, seed })
        bytes.add(nodes, figures.bytesPerWrite)
        simulated.push(simulatedSample(nodes, figures, lines))
      }
      return [...simulated, ...COMPUTED.map((nodes) => computedSample(nodes, bytes, lines))]
    },
  }
}

function simulatedSample(nodes: number, figures: ReturnType<typeof simulate>, lines: Lines): Sample {
  const cpu = cpuAt(nodes, lines)
  return {
    settings: { nodes },
    figures: {
      ...cpu,
      bytesPerWrite: { unit: 'B', value: figures.bytesPerWrite },
      messagesPerWrite: { unit: 'count', value: figures.messagesPerWrite },
      idleBytesPerSecond: { unit: 'B/s', value: figures.idleBytesPerSecond },
      convergedP50: { unit: 'ms', value: figures.convergedP50 },
      convergedLongest: { unit: 'ms', value: figures.convergedLongest },
    },
    marks: ['simulated', 'computed'],
    notes: ['messages, bytes and virtual time by simulation; CPU on the line through what was measured'],
  }
}

function computedSample(nodes: number, bytes: Line, lines: Lines): Sample {
  return {
    settings: { nodes },
    figures: { ...cpuAt(nodes, lines), bytesPerWrite: { unit: 'B', value: bytes.at(nodes) } },
    marks: ['computed'],
    notes: ['on the lines through what was measured and simulated'],
  }
}

function cpuAt(nodes: number, { cpuPerWrite, cpuPerRead }: Lines): Sample['figures'] {
  if (!cpuPerWrite.isDetermined || !cpuPerRead.isDetermined) return {}
  return {
    cpuPerWrite: { unit: 'us', value: cpuPerWrite.at(nodes) },
    cpuPerRead: { unit: 'us', value: cpuPerRead.at(nodes) },
  }
}
