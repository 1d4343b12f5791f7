import type { Calibration } from './calibrate.js'
import { costOf, type Cost } from './cost.js'
import { crossingOf, type Crossing } from './crossing.js'
import { CANDIDATES, type Candidate } from './kinds.js'
import { dominant, type Part } from './law.js'
import type { Acks, Load } from './load.js'
import { predict, type Prediction } from './predict.js'

/** What must hold; undefined: whatever it comes to. */
export interface Limits {
  readonly p99Ms: number | undefined
  /** Share of requests that may meet an older copy. */
  readonly stale: number | undefined
  /** Bytes on one node. */
  readonly memory: number | undefined
}

export interface Question {
  readonly load: Load
  readonly limits: Limits
  /** Only replication with these acks; undefined: all four are weighed. */
  readonly acks: Acks | undefined
  /** Whether browsers carry what they have seen, as they do unless they refuse cookies. */
  readonly stamps: boolean
  /** So many bytes of memory cost as much as one core. */
  readonly bytesPerCore: number
  /** The crossing is looked for up to so many nodes. */
  readonly nodesMax: number
}

export interface Option {
  readonly prediction: Prediction
  readonly cost: Cost
  /** Share of requests that meet an older copy, as the browsers of the question do. */
  readonly stale: number
  /** Limits that it breaks, as sentences; none: it may be chosen. */
  readonly breaks: readonly string[]
  /** The part of its CPU that is largest. */
  readonly dominant: Part | undefined
}

export interface Advice {
  readonly question: Question
  readonly options: readonly Option[]
  /** The cheapest that breaks no limit. */
  readonly best: Option | undefined
  /** From how many nodes on Redis is cheaper than the cheapest replication; undefined where one was not measured. */
  readonly crossing: Crossing | undefined
}

/** A node above this share of its core has no room for a busy minute. */
const BUSY_MAX = 0.8

export function advise(calibration: Calibration, question: Question): Advice {
  const options = candidatesFor(question).flatMap((candidate) => {
    const option = optionOf(calibration, candidate, question, question.load.nodes)
    return option === undefined ? [] : [option]
  })
  const allowed = options.filter(({ breaks }) => breaks.length === 0)
  const best = cheapest(allowed)
  return { question, options, best, crossing: crossingFor(calibration, question, options) }
}

function candidatesFor({ acks }: Question): readonly Candidate[] {
  return CANDIDATES.filter(({ kind, acks: own }) => kind.name !== 'replicated' || acks === undefined || own === acks)
}

function optionOf(calibration: Calibration, candidate: Candidate, question: Question, nodes: number): Option | undefined {
  const load = { ...question.load, nodes }
  const prediction = predict(calibration, candidate, load)
  if (prediction === undefined) return undefined
  const stale = question.stamps ? 0 : prediction.staleShare
  return {
    prediction,
    cost: costOf(prediction, nodes, question.bytesPerCore),
    stale,
    breaks: brokenBy(prediction, stale, load, question.limits),
    dominant: dominant(prediction.cpu.parts),
  }
}

/** What is not known breaks no limit and keeps none: it is told as not known elsewhere. */
function brokenBy({ cpu, storeCpu, memory, p99 }: Prediction, stale: number, { nodes }: Load, limits: Limits): readonly string[] {
  const broken: string[] = []
  if (cpu.value / nodes > BUSY_MAX) broken.push(`needs ${(cpu.value / nodes).toFixed(1)} cores in each process`)
  if ((storeCpu?.value ?? 0) > BUSY_MAX) broken.push(`needs ${storeCpu?.value.toFixed(1)} cores in one Redis`)
  if (limits.p99Ms !== undefined && p99 !== undefined && p99.value > limits.p99Ms) broken.push('p99 above the limit')
  if (limits.stale !== undefined && stale > limits.stale) broken.push('stale above the limit')
  if (limits.memory !== undefined && memory !== undefined && memory.value > limits.memory) {
    broken.push('memory above the limit')
  }
  return broken
}

function cheapest(options: readonly Option[]): Option | undefined {
  return options.reduce<Option | undefined>((least, one) => {
    return least === undefined || one.cost.value < least.cost.value ? one : least
  }, undefined)
}

function crossingFor(calibration: Calibration, question: Question, options: readonly Option[]): Crossing | undefined {
  const ofKind = (name: string): Candidate | undefined => {
    return cheapest(options.filter(({ prediction }) => prediction.candidate.kind.name === name))?.prediction.candidate
  }
  const [replicated, redis] = [ofKind('replicated'), ofKind('redis')]
  if (replicated === undefined || redis === undefined) return undefined
  const cost = (candidate: Candidate) => (nodes: number) => optionOf(calibration, candidate, question, nodes)?.cost
  return crossingOf(cost(replicated), cost(redis), question.nodesMax)
}
