/**
 * What session-mesh is to reach, as data. The limits were set by measuring peers on one machine with two
 * cores (Tomcat 10.1 with each of its replications, express-session with its usual stores) and the least code
 * that could do the job;
 * `peer` is what was seen there. Absolute figures of another machine differ: ratios travel better.
 */
import type { Cell, QuestionName, Unit } from './results.js'

export interface Goal {
  readonly id: string
  readonly sentence: string
  readonly limit: Limit
  readonly unit: Unit
  /** What the best known peer did. */
  readonly peer: string
  readonly proof: InRun | Elsewhere
}

export type Limit = { readonly atMost: number } | { readonly atLeast: number }

/** A figure of a run; every cell that fits has to keep the limit. */
export interface InRun {
  readonly question: QuestionName
  readonly variant: string
  readonly settings: Cell['settings']
  readonly figure: string
}

/** Something that is right or wrong, not more or less: tests hold it, with real processes and real faults. */
export interface Elsewhere {
  readonly command: string
}

// ── What a request costs ──────────────────────────────────────────────────────────────────────────────────────────

const WORKLOADS = [
  ['R', 'A read'],
  ['W', 'A write'],
  ['M', 'A mix of 90 % reads'],
  ['C', 'A new session'],
] as const

/** Limits and peers' figures in the order R, W, M, C. */
interface Cost {
  readonly id: string
  readonly where: string
  readonly variant: string
  readonly nodes: number
  readonly figure: string
  readonly to: string
  readonly limits: readonly [number, number, number, number]
  readonly peer: string
  readonly peers: readonly [number, number, number, number]
}

const COSTS: readonly Cost[] = [
  {
    id: 'one-node',
    where: 'on one node in memory',
    variant: 'mesh-memory',
    nodes: 1,
    figure: 'cpuRatio',
    to: 'the floor',
    limits: [1.15, 1.2, 1.15, 1.2],
    peer: 'express-session + MemoryStore',
    peers: [1.71, 1.8, 1.7, 1.66],
  },
  {
    id: 'three-nodes',
    where: 'on three replicated nodes',
    variant: 'mesh-async',
    nodes: 3,
    figure: 'cpuRatioToUnconnected',
    to: 'three unconnected ones',
    limits: [1.15, 1.35, 1.25, 1.4],
    peer: 'the least code that replicates',
    peers: [1.09, 1.27, 1.2, 1.31],
  },
  {
    id: 'redis',
    where: 'on the Redis backend',
    variant: 'mesh-redis',
    nodes: 1,
    figure: 'cpuRatio',
    to: 'the floor',
    limits: [1.2, 1.3, 1.25, 1.2],
    peer: 'express-session + connect-redis',
    peers: [1.72, 1.8, 1.65, 1.74],
  },
  {
    id: 'store',
    where: 'with our Store under express-session',
    variant: 'store-memory',
    nodes: 1,
    figure: 'cpuRatioToMemoryStore',
    to: 'MemoryStore',
    limits: [1, 1, 1, 1],
    peer: 'a perfect Store (both to the floor)',
    peers: [1.61 / 1.71, 1.76 / 1.8, 1.61 / 1.7, 1.47 / 1.66],
  },
]

const COST_GOALS: readonly Goal[] = COSTS.flatMap(({ id, where, variant, nodes, figure, to, limits, peer, peers }) => {
  return WORKLOADS.map(([workload, what], i): Goal => ({
    id: `cost-${id}-${workload}`,
    sentence: `${what} ${where}: CPU, ratio to ${to}`,
    limit: { atMost: limits[i] ?? NaN },
    unit: 'ratio',
    peer: `${peer}: ${(peers[i] ?? NaN).toFixed(2)}`,
    proof: { question: 'http-cost', variant, settings: { workload, nodes }, figure },
  }))
})

// ── How long it takes ─────────────────────────────────────────────────────────────────────────────────────────────

function measured(
  id: string,
  sentence: string,
  limit: Limit,
  unit: Unit,
  peer: string,
  [question, variant, figure, settings = {}]: readonly [QuestionName, string, string, Cell['settings']?],
): Goal {
  return { id, sentence, limit, unit, peer, proof: { question, variant, settings, figure } }
}

const LATENCY_GOALS: readonly Goal[] = [
  measured('p50-one-node', 'Median of a request at 1,000/s, one node in memory', { atMost: 0.15 }, 'ms',
    'express-session + MemoryStore: 0.266 ms', ['latency', 'mesh-memory', 'p50', { rate: 1000 }]),
  measured('p50-three-nodes', 'Median of a request at 1,000/s, three replicated nodes', { atMost: 0.19 }, 'ms',
    'the least code that replicates: 0.158 ms', ['latency', 'mesh-async', 'p50', { rate: 1000 }]),
  measured('p50-redis', 'Median of a request at 1,000/s, Redis backend', { atMost: 0.32 }, 'ms',
    'express-session + connect-redis: 0.422 ms', ['latency', 'mesh-redis', 'p50', { rate: 1000 }]),
]

// ── Replication ───────────────────────────────────────────────────────────────────────────────────────────────────

const REPLICATION_GOALS: readonly Goal[] = [
  measured('visible-p50', 'A write is visible on another node, median', { atMost: 150 }, 'us',
    'Tomcat, synchronous: 155 µs', ['replication', 'mesh-async', 'visibleP50']),
  measured('visible-p99', 'A write is visible on another node, 99 %', { atMost: 600 }, 'us',
    'Tomcat, synchronous: 353 µs; asynchronous: 1,459 µs', ['replication', 'mesh-async', 'visibleP99']),
  measured('deltas', 'Changes that a peer takes in', { atLeast: 300_000 }, '1/s',
    'Tomcat, asynchronous: 81,000/s', ['replication', 'mesh-async', 'deltasPerSecond']),
  measured('cpu-origin', 'CPU that replicating a write adds to its node', { atMost: 8 }, 'us',
    'Tomcat, asynchronous: 19 µs', ['replication', 'mesh-async', 'cpuOrigin']),
  measured('cpu-peer', 'CPU that a replicated write costs each other node', { atMost: 5 }, 'us',
    'Tomcat, asynchronous: 19.5 µs', ['replication', 'mesh-async', 'cpuPeer']),
  measured('http-share', 'Replicated writes/s over HTTP, of those of one node alone', { atLeast: 0.9 }, 'ratio',
    'Tomcat, asynchronous: 0.51', ['replication', 'mesh-async', 'httpShareOfOneNode']),
  measured('bytes-change', 'Bytes to one peer for a change of 100 B', { atMost: 190 }, 'B',
    'Tomcat, asynchronous: 786 B', ['wire', 'mesh-async', 'bytesPerChange']),
  measured('bytes-access', 'Bytes to one peer for a mere access', { atMost: 1 }, 'B',
    'Tomcat, asynchronous: 664 B', ['wire', 'mesh-async', 'bytesPerAccess']),
  measured('join-10k', 'A node takes over 10,000 sessions, from its first link on', { atMost: 0.2 }, 's',
    'Tomcat: 0.41 s', ['join', 'mesh-async', 'readyAfterLink', { sessions: 10_000 }]),
  measured('join-100k', 'A node takes over 100,000 sessions, from its first link on', { atMost: 1 }, 's',
    'Tomcat: 2.05 s', ['join', 'mesh-async', 'readyAfterLink', { sessions: 100_000 }]),
  measured('join-bytes', 'Bytes received for joining 100,000 sessions', { atMost: 34e6 }, 'B',
    'Tomcat: 38 MB in one message', ['join', 'mesh-async', 'bytes', { sessions: 100_000 }]),
  measured('noticed-reset', 'A dead node is noticed after a reset', { atMost: 1_000 }, 'ms',
    'Tomcat: 0.4–6.4 s', ['replication', 'mesh-async', 'noticedReset']),
  measured('noticed-silence', 'A silent node is noticed', { atMost: 3_000 }, 'ms',
    'Tomcat: 0.4–6.4 s', ['replication', 'mesh-async', 'noticedSilence']),
]

const MEMORY_GOALS: readonly Goal[] = [
  measured('memory-small', 'Memory per session at 1 million, one value of 256 B', { atMost: 450 }, 'B',
    'MemoryStore: 716 B', ['memory', 'mesh-async', 'rssPerSession', { sessions: 1_000_000, shape: '256B' }]),
  measured('memory-large', 'Memory per session at 1 million, ten values of 1 KB together', { atMost: 1_300 }, 'B',
    'MemoryStore: 1,644 B', ['memory', 'mesh-async', 'rssPerSession', { sessions: 1_000_000, shape: '1KB' }]),
  measured('full-gc', 'Full garbage collection at 1 million sessions of 1 KB', { atMost: 50 }, 'ms',
    'a Map of objects: 427 ms', ['memory', 'mesh-async', 'fullGc', { sessions: 1_000_000, shape: '1KB' }]),
]

// ── Right or wrong ────────────────────────────────────────────────────────────────────────────────────────────────

const RACE_GOALS: readonly Goal[] = [
  measured('stale-with-stamps', 'Reads on another node at once after a write that see it, with stamps', { atLeast: 1 },
    'share', 'Tomcat, asynchronous: 64 %', ['staleness', 'mesh-async', 'fresh0', { stamps: true }]),
  measured('lost-updates', 'Two requests change different attributes: one is lost', { atMost: 0 }, 'share',
    'express-session + MemoryStore: 97–100 %', ['races', 'mesh-async', 'lost']),
  measured('increments', 'Increments through alternating nodes: lost', { atMost: 0 }, 'share',
    'Tomcat, asynchronous: 28 %', ['races', 'mesh-async', 'lostIncrements']),
  measured('revived', 'Logout during a request that writes: the session is back', { atMost: 0 }, 'share',
    'express-session + MemoryStore: 99.7–100 %', ['races', 'mesh-async', 'revived']),
]

function proven(id: string, sentence: string, peer: string, command: string): Goal {
  return { id, sentence, limit: { atMost: 0 }, unit: 'count', peer, proof: { command } }
}

const PROVEN_GOALS: readonly Goal[] = [
  proven('new-session', 'New session: its first attribute is missing on a peer', 'Tomcat: 840 of 2,000', 'npm test'),
  proven('rotation', 'Login with a new id: the attribute is missing on a peer', 'Tomcat: 443 of 1,000', 'npm test'),
  proven('destroyed', 'Destroyed right after creation, still alive on a peer', 'Tomcat: 159 of 2,000', 'npm run simulate'),
  proven('last-value', '20 writes in a row: wrong last value on a peer', 'Tomcat: 50 of 400', 'npm run simulate'),
  proven('same-attribute', 'The same attribute changed on two nodes: they differ for good', 'Tomcat: 265 of 500',
    'npm run simulate'),
  proven('read-against-write', 'A read on one node undoes a write on another', 'Tomcat: 377 of 500', 'npm run simulate'),
  proven('resumed', 'Sessions that differ 2 s after a paused node resumes', 'Tomcat: 38 of 50', 'npm run test:faults'),
  proven('healed', 'Changes lost and logouts undone after a partition', 'Tomcat: 80 of 80 and 10 of 10',
    'npm run test:faults'),
  proven('killed', 'Acknowledged writes lost when the writer is killed, acks one', 'Tomcat, synchronous: 0',
    'npm run test:faults'),
]

export const GOALS: readonly Goal[] = [
  ...COST_GOALS,
  ...LATENCY_GOALS,
  ...REPLICATION_GOALS,
  ...MEMORY_GOALS,
  ...RACE_GOALS,
  ...PROVEN_GOALS,
]
