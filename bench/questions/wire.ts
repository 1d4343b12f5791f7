/**
 * What goes over the wire? Bytes of TCP payload from one node to another, WebSocket framing and seals included, as a
 * relay between them counts: for a change of 100 bytes, each alone in its frame; for a request that only reads; and
 * while nothing happens. What flows while nothing happens is told by itself and taken off the other two.
 */
import { setTimeout as after } from 'node:timers/promises'
import { Crowd } from '../load/crowd.js'
import { openLoop, realClock } from '../load/drivers.js'
import type { PlanOptions, Question, Sample, Settings, Trial, TrialContext } from '../question.js'
import type { Rig } from '../rig/rig.js'
import type { Variant } from '../variants.js'

const CHANGE_BYTES = 100
/** Of sessions whose attributes all have that size: 1 KB and 10 KB. */
const SESSION_BYTES = [1_000, 10_000]
const SESSIONS = 1_000
const IDLE_SECONDS = 4
const CHANGE_RATE = 200
const CHANGE_WINDOWS = 2
/**
 * Accesses are told in batches, several a session's lifetime. So that some seconds see what else takes half an hour,
 * sessions live 112 times shorter than by default, and browsers click 112 times faster than once in 11 seconds.
 */
const ACCESS = { ttlMs: 16_000, visitors: 100, rate: 1_000, warmUpSeconds: 3, seconds: 6 } as const
const CONNECTIONS = 16
const SETTLING_MS = 50

export const question: Question = {
  name: 'wire',
  title: 'bytes to another node for a change, for an access, and for nothing',
  plan: ({ variants, windowSeconds }: PlanOptions): readonly Trial[] => {
    return variants
      .filter(({ name }) => name === 'mesh-async')
      .flatMap((variant) => SESSION_BYTES.map((bytes) => trialOf(variant, bytes, windowSeconds)))
  },
}

function trialOf(variant: Variant, sessionBytes: number, windowSeconds: number): Trial {
  const settings: Settings = { sessionBytes }
  return {
    variant: variant.name,
    group: 'wire',
    cells: [settings],
    seconds: 3 + IDLE_SECONDS + CHANGE_WINDOWS * windowSeconds + ACCESS.warmUpSeconds + ACCESS.seconds,
    // Nothing in it is a matter of time.
    rounds: 1,
    measure: async (context) => [await measure(variant, sessionBytes, settings, context)],
  }
}

async function measure(
  variant: Variant,
  sessionBytes: number,
  settings: Settings,
  { rig, random, signal, windowSeconds }: TrialContext,
): Promise<Sample> {
  const config = { session: { ttl: ACCESS.ttlMs } }
  const site = await rig.start(variant, { nodes: 2, counted: true, config })
  const [origin] = site.nodes
  if (origin === undefined) throw new Error('a site without servers')
  const shape = { attributes: sessionBytes / CHANGE_BYTES, bytes: CHANGE_BYTES }
  await origin.ask('fill', { sessions: SESSIONS, ...shape })

  const idle = await flow(rig, async () => await after(IDLE_SECONDS * 1_000))
  const idlePerSecond = idle.bytes / idle.seconds
  const change = { rate: CHANGE_RATE, bytes: CHANGE_BYTES }
  let changes = 0
  const changing = await flow(rig, async () => {
    changes = (await origin.ask('write', { ...change, seconds: CHANGE_WINDOWS * windowSeconds })).length
  })

  const crowd = new Crowd({ ...site, nodes: [origin] }, { visitors: ACCESS.visitors, connections: CONNECTIONS, shape, random })
  const read = async (seconds: number): Promise<number> => {
    const load = { rate: ACCESS.rate, seconds, send: async () => await crowd.step('R'), record: () => {}, signal }
    // A request that nobody was idle for was not sent: it counts neither here nor on the wire.
    return (await openLoop(load, realClock)).operations
  }
  let accesses = 0
  try {
    await crowd.settle(CONNECTIONS)
    await read(ACCESS.warmUpSeconds)
    const accessing = await flow(rig, async () => {
      accesses = await read(ACCESS.seconds)
    })
    const each = ({ bytes, seconds }: Flow, count: number): number => (bytes - idlePerSecond * seconds) / count
    return {
      settings,
      figures: {
        bytesPerChange: { unit: 'B', value: each(changing, changes) },
        bytesPerAccess: { unit: 'B', value: Math.max(0, each(accessing, accesses)) },
        idleBytesPerSecond: { unit: 'B/s', value: idlePerSecond },
      },
      notes: accesses < ACCESS.rate * ACCESS.seconds * 0.9 ? [`only ${accesses} accesses could be made`] : [],
    }
  } finally {
    await crowd.close()
  }
}

interface Flow {
  readonly bytes: number
  readonly seconds: number
}

/** What the first node sent to the second meanwhile, and the moment that it takes to arrive. */
async function flow(rig: Rig, happens: () => Promise<unknown>): Promise<Flow> {
  const startedMs = performance.now()
  const before = await sent(rig)
  await happens()
  await after(SETTLING_MS)
  return { bytes: (await sent(rig)) - before, seconds: (performance.now() - startedMs) / 1_000 }
}


/** Whichever of the two dialled the link that lasts. */
async function sent(rig: Rig): Promise<number> {
  const [there, back] = await rig.carried()
  return (there?.to ?? 0) + (back?.from ?? 0)
}
