import type { Calibration } from './calibrate.js'
import type { Candidate, Quantity } from './kinds.js'
import { predict as partsOf, total, type FittedLaw, type Part } from './law.js'
import { BUSY_MAX_OF_P99, type Busy } from './laws.js'
import { writeRate, type Load } from './load.js'
import type { Miss } from './miss.js'
import { staleShare } from './staleness.js'
import { centralReadMs, centralWriteMs, replicatedReadMs, replicatedWriteMs, unseenMs } from './trips.js'

/** A predicted quantity; `low` and `high`: as far off as predictions of other loads were. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
  readonly parts: readonly Part[]
  /** Cells that its coefficients come from. */
  readonly sources: readonly string[]
}

/** What one candidate would cost and give under a load. What was not measured is undefined. */
export interface Prediction {
  readonly candidate: Candidate
  /** Cores, over all nodes. */
  readonly cpu: Estimate
  /** Cores of Redis; undefined where there is none. */
  readonly storeCpu: Estimate | undefined
  /** Bytes, on each node. */
  readonly memory: Estimate | undefined
  readonly storeMemory: Estimate | undefined
  /** Bytes per second: each node's share of what goes over the network. */
  readonly traffic: Estimate | undefined
  /** Milliseconds. Infinite where a node is too busy for one to be promised. */
  readonly p99: Estimate | undefined
  /** Share of requests that meet an older copy when browsers carry no stamps; with stamps none do. */
  readonly staleShare: number
}

/** The slowest of a hundred: a wait of fewer requests than this does not show in the p99. */
const RARE = 0.01

/** Undefined where the calibration has nothing about this kind. */
export function predict(calibration: Calibration, candidate: Candidate, of: Load): Prediction | undefined {
  const load = { ...of, acks: candidate.acks }
  const model = calibration.kinds[candidate.kind.name]
  if (model.cpu === undefined) return undefined
  const about = (quantity: Quantity, law: FittedLaw<Load> | undefined, share = 1): Estimate | undefined => {
    return law && estimate(law, partsOf(law, load), calibration.misses[quantity], share)
  }
  const cpu = estimate(model.cpu, partsOf(model.cpu, load), calibration.misses.cpu)
  return {
    candidate,
    cpu,
    storeCpu: about('storeCpu', model.storeCpu),
    memory: about('memory', model.memory),
    storeMemory: about('storeMemory', model.storeMemory),
    traffic: about('traffic', model.traffic, 1 / load.nodes),
    p99: calibration.p99 && p99Of(calibration.p99, calibration, { candidate, load, busy: cpu.value / load.nodes }),
    staleShare: candidate.kind.hasCopies ? staleShare(load, unseenFor(load, calibration)) : 0,
  }
}

interface Waiting {
  readonly candidate: Candidate
  readonly load: Load
  readonly busy: number
}

/** What was measured on one machine, and the round trips that a request waits for between several. */
function p99Of(law: FittedLaw<Busy>, calibration: Calibration, at: Waiting): Estimate {
  const { busy } = at
  const waitMs = waitMsAtP99(at, calibration)
  const measured = busy <= BUSY_MAX_OF_P99 ? partsOf(law, { busy }) : [{ name: 'requests before it', value: Infinity, coefficient: 0 }]
  const trips = { name: 'round trips', value: waitMs, coefficient: waitMs / Math.max(at.load.rttMs, 1e-9) }
  const known = estimate(law, measured, calibration.misses.p99)
  return {
    ...known,
    value: known.value + waitMs,
    low: known.low + waitMs,
    high: known.high + waitMs,
    parts: [...known.parts, trips],
  }
}

/** Round trips of the slowest of a hundred requests: of a write if there are enough writes, else of a read. */
function waitMsAtP99({ candidate, load }: Waiting, calibration: Calibration): number {
  const { rttMs, nodes } = load
  const tripsMs = Array.from({ length: nodes - 1 }, () => rttMs)
  const isWrite = load.rate > 0 && writeRate(load) / load.rate >= RARE
  if (!candidate.kind.hasCopies) return centralReadMs(rttMs) + (isWrite ? centralWriteMs(rttMs) : 0)
  const unseen = unseenFor(load, calibration)
  const isAhead = staleShare(load, unseen) >= RARE
  return replicatedReadMs(isAhead, unseen) + (isWrite ? replicatedWriteMs(candidate.acks, tripsMs) : 0)
}

/** An event leaves in the turn in which it happens. */
function unseenFor({ rttMs }: Load, { visibleMs = 0 }: Calibration): number {
  return unseenMs(visibleMs, rttMs / 2)
}

function estimate<S>({ sources }: FittedLaw<S>, parts: readonly Part[], { low, high }: Miss, share = 1): Estimate {
  const shared = parts.map((part) => ({ ...part, value: part.value * share }))
  const value = total(shared)
  return { value, low: value * low, high: value * high, parts: shared, sources }
}
