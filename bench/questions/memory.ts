/**
 * What does a session take? Resident memory of the process that keeps them, before and after it got them without HTTP,
 * each time after full collections; of Redis, what redis-server itself says that it uses. Then how long a full
 * collection stops everything, and which pauses the collector makes while sessions are written to.
 */
import { totalmem } from 'node:os'
import { setTimeout as after } from 'node:timers/promises'
import { median } from '../method/figures.js'
import type { Measured, Mode, Question, Sample, Settings, Trial, TrialContext } from '../question.js'
import type { Child } from '../rig/child.js'
import { redisInfo } from '../rig/redis-info.js'
import type { Site } from '../rig/rig.js'
import type { Filling } from '../servers/orders.js'
import type { Variant } from '../variants.js'

type Shape = '256B' | '1KB' | '4KB'

/** As `session-mesh advise` knows them, too: what a byte takes and what an attribute takes is told apart by three. */
export const SHAPES: Readonly<Record<Shape, Omit<Filling, 'sessions'>>> = {
  '256B': { attributes: 1, bytes: 256 },
  '1KB': { attributes: 10, bytes: 100 },
  '4KB': { attributes: 10, bytes: 400 },
}
/** The largest is only for predictions: of these, and not of as many as Redis takes long to fill with. */
const PREDICTED = { shape: '4KB', variants: ['mesh-async', 'mesh-redis'], sessionsMax: 100_000, ofRedisMax: 10_000 } as const

const SIZES: Readonly<Record<Mode, readonly number[]>> = {
  quick: [10_000],
  standard: [10_000, 100_000],
  full: [10_000, 100_000, 1_000_000],
}

/** Each keeps sessions in another way. What Redis keeps is linear, and to fill it takes long: it stops at 100,000. */
const VARIANTS = ['floor', 'es-memory', 'es-memorystore', 'es-connect-redis', 'mesh-memory', 'mesh-async', 'mesh-redis']
const SIZE_MAX_OF_REDIS = 100_000

/** So few of them are repeated in every round: they are a small part of a process, and one differs from the next. */
const SMALL_MAX = 10_000
/** What predictions are made of is told of the middle one of so many processes. */
const PROCESSES = 3

/** Starting the process, and collecting its garbage. */
const SETUP_SECONDS = 3
const CHURN_RATE = 5_000
const CHURN_WINDOWS = 3
const COLLECTIONS = 3
const FIRST = 10_000
/** Memory that was given back to the operating system is counted a moment later. */
const SETTLING_MS = 300
/** Of what one session takes, the most that any of them needs while it fills: to know what does not fit. */
const ROOM_PER_BYTE = 7
const ROOM_SHARE = 0.7
const BYTES_PER_MB = 1024 ** 2

export const question: Question = {
  name: 'memory',
  title: 'memory per session, and the pauses of the garbage collector',
  plan: ({ mode, variants, windowSeconds }) => {
    return SIZES[mode].flatMap((sessions) => {
      return (Object.keys(SHAPES) as readonly Shape[]).flatMap((shape) => {
        return variants
          .filter((variant) => takesPart(variant, sessions, shape))
          .map((variant) => trialOf(variant, sessions, shape, windowSeconds))
      })
    })
  },
}

function takesPart({ name, redis }: Variant, sessions: number, shape: Shape): boolean {
  if (shape !== PREDICTED.shape) return VARIANTS.includes(name) && (!redis || sessions <= SIZE_MAX_OF_REDIS)
  const max = redis ? PREDICTED.ofRedisMax : PREDICTED.sessionsMax
  return isPredicted({ name }) && sessions <= max
}

function isPredicted({ name }: Pick<Variant, 'name'>): boolean {
  return PREDICTED.variants.some((predicted) => predicted === name)
}

function trialOf(variant: Variant, sessions: number, shape: Shape, windowSeconds: number): Trial {
  const settings: Settings = { sessions, shape }
  const processes = sessions <= SMALL_MAX && !variant.redis && isPredicted(variant) ? PROCESSES : 1
  return {
    variant: variant.name,
    group: `${sessions} of ${shape}`,
    cells: [settings],
    seconds:
      processes * (SETUP_SECONDS + sessions / filledPerSecond(variant) + (variant.redis ? 0 : CHURN_WINDOWS * windowSeconds)),
    // Of many bytes there is little to repeat.
    ...(sessions > SMALL_MAX ? { rounds: 1 } : {}),
    measure: async (context) => {
      const filling = { sessions, ...SHAPES[shape] }
      const samples: Contents[] = []
      for (let i = 0; i < processes; i++) samples.push(await measure(variant, filling, context))
      return [{ settings, ...middle(samples) }]
    },
  }
}

type Contents = Omit<Sample, 'settings'>

/** The one of which half take more, and half less. */
function middle(samples: readonly Contents[]): Contents {
  const taken = ({ figures }: Contents): number => figures['rssPerSession']?.value ?? 0
  return samples.toSorted((a, b) => taken(a) - taken(b))[Math.floor(samples.length / 2)] as Contents
}

/** About: what others are told of takes longer. */
function filledPerSecond({ redis, shared }: Variant): number {
  if (redis) return 7_000
  return shared ? 12_000 : 40_000
}

async function measure(variant: Variant, filling: Filling, { rig, windowSeconds }: TrialContext): Promise<Contents> {
  const nodes = variant.name === 'mesh-async' ? 2 : 1
  const room = roomFor(filling, nodes)
  const site = await rig.start(variant, { nodes, nodeFlags: ['--expose-gc', `--max-old-space-size=${room}`] })
  const [keeper, peer] = site.nodes
  if (keeper === undefined) throw new Error('a site without servers')
  const perSession = (from: number, to: number): Measured => ({ unit: 'B', value: (to - from) / filling.sessions })
  // What the first sessions bring with them (code, buffers, tables) is none of theirs.
  await keeper.ask('fill', { ...filling, sessions: FIRST })
  if (site.redis !== undefined) {
    const before = await usedByRedis(site)
    await keeper.ask('fill', filling)
    return { figures: { rssPerSession: perSession(before, await usedByRedis(site)) } }
  }

  const [before, beforeAtPeer] = [await collected(keeper), peer && (await collected(peer))]
  const seconds = await keeper.ask('fill', filling)
  const [filled, filledAtPeer] = [await collected(keeper), peer && (await collected(peer))]
  const churning = { rate: CHURN_RATE, seconds: CHURN_WINDOWS * windowSeconds, bytes: filling.bytes }
  const { writes, pauses } = await keeper.ask('churn', churning)
  return {
    figures: {
      rssPerSession: perSession(before.rss, filled.rss),
      heapPerSession: perSession(before.heap, filled.heap),
      fullGc: { unit: 'ms', value: filled.ms },
      longestPause: { unit: 'ms', value: Math.max(0, ...pauses.map(([, ms]) => ms)) },
      filledPerSecond: { unit: '1/s', value: filling.sessions / seconds },
      ...(beforeAtPeer === undefined || filledAtPeer === undefined
        ? {}
        : { rssPerSessionAtPeer: perSession(beforeAtPeer.rss, filledAtPeer.rss) }),
    },
    curves: { pauses },
    notes: [`pauses during ${writes} writes`],
  }
}

/** MB of heap for one process; throws where this machine does not have that much for all. */
function roomFor({ sessions, attributes, bytes }: Filling, nodes: number): number {
  const room = Math.max(1024 * BYTES_PER_MB, sessions * Math.max(1_024, attributes * bytes * ROOM_PER_BYTE))
  if (room * nodes > totalmem() * ROOM_SHARE) {
    throw new Error(`this machine has too little memory for ${sessions} sessions of ${attributes * bytes} B`)
  }
  return Math.ceil(room / BYTES_PER_MB)
}

interface Collected {
  readonly rss: number
  readonly heap: number
  /** One full collection of what is in use. */
  readonly ms: number
}

/** The first collection frees what was used on the way, and is not counted. */
async function collected(child: Child): Promise<Collected> {
  await child.ask('gc', null)
  const times: number[] = []
  for (let i = 0; i < COLLECTIONS; i++) times.push((await child.ask('gc', null)).ms)
  await after(SETTLING_MS)
  const { rss, heap } = await child.ask('gc', null)
  return { rss, heap, ms: median(times) }
}

async function usedByRedis({ redis }: Site): Promise<number> {
  const used = redis && (await redisInfo(redis.port, 'memory')).get('used_memory')
  if (used === undefined) throw new Error('redis-server does not say how much memory it uses')
  return used
}
