/**
 * Does a read on the next node see the write? A browser writes on one of three nodes and reads the same attribute on
 * another, a stated time after the write was acknowledged (t-visibility, Bailis et al. 2012). The links between nodes,
 * and those to Redis, are lengthened by a delay. Where nodes are replicated, the same is asked of browsers that do not
 * carry stamps, which is what any other replication without stickiness would do; there, an older value is expected.
 */
import { until, openLoop, realClock } from '../load/drivers.js'
import { Latencies } from '../load/histogram.js'
import type { LoadResult } from '../load/load.js'
import { Roamers } from '../load/roamers.js'
import type { Outcome } from '../load/visitor.js'
import { warmUpFor } from '../method/warm-up.js'
import type { Measured, PlanOptions, Question, Sample, Settings, Trial, TrialContext } from '../question.js'
import type { Site } from '../rig/rig.js'
import type { Variant } from '../variants.js'

const NODES = 3
/** Between the acknowledgement and the read, milliseconds. */
const GAPS = [0, 1, 2, 5, 10, 50] as const
/** Writes per second, each followed by a read. */
const RATE = 500
const VISITORS = 1_000
const WORKERS = 128
const WARM_UP_REQUESTS = 6_000
const SETUP_SECONDS = 3
/** Long enough for some hundred reads after each gap. */
const WINDOWS = 3
/** Windows for browsers that click without a pause. */
const SEQUENTIAL_WINDOWS = 0.5
const SEQUENTIAL_WORKERS = 8

const QUICK = ['es-connect-redis', 'mesh-async', 'mesh-redis']
const STANDARD = [...QUICK, 'mesh-all', 'mesh-tiered-cache']
const FULL = [...STANDARD, 'mesh-one', 'mesh-tiered-behind']
/** One way, milliseconds. */
const DELAYS = [0, 10]
/** What happens at these lies between and beyond what the other two say: one round of them will do. */
const MORE_DELAYS = [1, 50]

export const question: Question = {
  name: 'staleness',
  title: 'whether a read on another node sees the write',
  plan: (options) => {
    const { mode, variants, chosen } = options
    const wanted = { quick: QUICK, standard: STANDARD, full: FULL }[mode]
    const taking = variants.filter(({ name, shared, program }) => {
      return shared && program !== 'mesh-store' && (chosen || wanted.includes(name) || name === 'yours')
    })
    const delays = mode === 'full' ? [...DELAYS, ...MORE_DELAYS] : DELAYS
    return delays.flatMap((delayMs) => taking.map((variant) => trialOf(variant, delayMs, options)))
  },
}

function trialOf(variant: Variant, delayMs: number, { windowSeconds }: PlanOptions): Trial {
  const cells = settingsOf(variant, delayMs)
  return {
    variant: variant.name,
    group: `${delayMs} ms`,
    cells,
    seconds: SETUP_SECONDS + cells.length * windowSeconds * (WINDOWS + SEQUENTIAL_WINDOWS),
    ...(MORE_DELAYS.includes(delayMs) ? { rounds: 1 } : {}),
    measure: async (context) => await measure(variant, delayMs, cells, context),
  }
}

/** With and without stamps where there are any; what has none, says nothing of them. */
function settingsOf({ backend }: Variant, delayMs: number): readonly Settings[] {
  if (backend?.type !== 'replicated') return [{ delayMs }]
  const acks = backend.acks?.write ?? 'async'
  return [true, false].map((stamps) => ({ delayMs, acks, stamps }))
}

async function measure(
  variant: Variant,
  delayMs: number,
  cells: readonly Settings[],
  context: TrialContext,
): Promise<readonly Sample[]> {
  const site = await context.rig.start(variant, { nodes: NODES, delayMs })
  const samples: Sample[] = []
  for (const settings of cells) samples.push(await measureCell(site, settings, context))
  return samples
}

async function measureCell(site: Site, settings: Settings, context: TrialContext): Promise<Sample> {
  const { random, signal, windowSeconds } = context
  const withStamps = settings['stamps'] !== false
  const roamers = new Roamers(site, { visitors: VISITORS, connections: WORKERS, withStamps, random })
  try {
    await roamers.settle(WORKERS)
    await roamers.warmUp(WORKERS, warmUpFor(windowSeconds, WARM_UP_REQUESTS))
    const freshness = new Freshness()
    const window = await context.window(async (): Promise<LoadResult> => {
      freshness.reset()
      const send = async (number: number): Promise<Outcome> => {
        const gapMs = GAPS[number % GAPS.length] ?? 0
        const pair = await roamers.writeThenRead(number, () => until(realClock, performance.now() + gapMs))
        freshness.add(gapMs, pair.read, pair.readMs)
        return judged(pair.read, withStamps)
      }
      const load = { rate: RATE, seconds: WINDOWS * windowSeconds, send, record: () => {}, signal }
      return await openLoop(load, realClock)
    }, { intended: RATE })
    const sequential = await roamers.click(SEQUENTIAL_WORKERS, windowSeconds * SEQUENTIAL_WINDOWS, signal)
    const wrongInSequence = sequential.wrong + (withStamps ? sequential.stale : 0)
    return {
      settings,
      figures: { ...freshness.figures(), freshSequential: share(sequential.right, sequential.reads) },
      curves: { wait: freshness.waits() },
      marks: wrongInSequence > 0 ? [...window.marks, 'wrong'] : window.marks,
      notes: [
        ...window.notes,
        ...(wrongInSequence > 0 ? [`${wrongInSequence} of ${sequential.reads} reads in sequence were wrong`] : []),
      ],
    }
  } finally {
    await roamers.close()
  }
}

/** Without stamps, an older value is what is being counted. */
function judged(read: Outcome, withStamps: boolean): Outcome {
  return read === 'stale' && !withStamps ? 'right' : read
}

/** Reads by the time they came after the acknowledgement. */
class Freshness {
  readonly #reads = new Map<number, { fresh: number; total: number }>()
  readonly #waits = new Latencies()

  add(gapMs: number, read: Outcome, ms: number): void {
    if (read === 'failed') return
    const reads = this.#reads.get(gapMs) ?? { fresh: 0, total: 0 }
    reads.total++
    if (read === 'right') reads.fresh++
    this.#reads.set(gapMs, reads)
    if (gapMs === 0) this.#waits.record(ms)
  }

  reset(): void {
    this.#reads.clear()
    this.#waits.reset()
  }

  /** `waitP50` and `waitP99`: how long the whole request took that reads right after the write. */
  figures(): Readonly<Record<string, Measured>> {
    const fresh = [...this.#reads].sort(([a], [b]) => a - b)
    return {
      ...Object.fromEntries(fresh.map(([gapMs, reads]) => [`fresh${gapMs}`, share(reads.fresh, reads.total)])),
      waitP50: { unit: 'ms', value: this.#waits.quantile(0.5) },
      waitP99: { unit: 'ms', value: this.#waits.quantile(0.99) },
    }
  }

  waits(): ReturnType<Latencies['curve']> {
    return this.#waits.curve()
  }
}

function share(count: number, total: number): Measured {
  return { unit: 'share', value: total === 0 ? NaN : count / total }
}
