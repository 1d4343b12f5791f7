import type { CheckerFactory } from './checkers/checker.js'
import { Violation } from './checkers/checker.js'
import { firstDifference } from './checkers/convergence.js'
import { drawPlan, type Plan, type SimulationOptions } from './plan.js'
import { World } from './world.js'

/** What broke, when, and what led to it. */
export interface Failure {
  readonly checker: string
  readonly message: string
  /** Virtual milliseconds. */
  readonly time: number
  readonly transcript: readonly string[]
}

/** What one seed came to. */
export interface SeedResult {
  readonly seed: number
  readonly plan: Plan
  readonly failure: Failure | undefined
  /** No fault overlapped a commit: it says nothing. */
  readonly isVoid: boolean
  /** Equal for equal runs. */
  readonly traceHash: string
  readonly counts: SeedCounts
}

export type SeedCounts = Readonly<Record<(typeof COUNT_NAMES)[number], number>>

/** Everything counted per seed; all of it adds up over seeds. */
export const COUNT_NAMES = [
  'simulatedMs',
  'nodeMs',
  'steps',
  'faults',
  'commits',
  'commitsUnderFault',
  'creates',
  'writes',
  'mergingWrites',
  'rotations',
  'imports',
  'importsAgain',
  'madeTwice',
  'kills',
  'revocations',
  'checks',
  'reads',
  'flaggedStale',
  'sequentialReads',
  'sequentialStale',
  'parallelReads',
  'parallelStale',
  'served',
  'none',
  'behind',
  'failed',
  'anonymousInError',
  'messages',
  'messagesLost',
  'bytes',
  'healMs',
] as const

/** After the faults: how long until all must agree, and how often that is looked at, virtual milliseconds. */
const HEAL_WITHIN_MS = 60_000
const HEAL_STEP_MS = 500
/** Beyond the idle lifetime, for inquiries and their second attempts. */
const EXPIRY_GRACE_MS = 15_000

/** Runs one seed: safety under faults, then everything heals and must converge. */
export function simulate(options: SimulationOptions, checkers?: readonly CheckerFactory[]): SeedResult {
  return runPlan(drawPlan(options), checkers)
}

export function runPlan(plan: Plan, checkers?: readonly CheckerFactory[]): SeedResult {
  const world = new World(plan, checkers)
  let failure: Failure | undefined
  let healMs = 0
  try {
    world.queue.runUntil(plan.durationMs)
    healMs = heal(world)
  } catch (error) {
    failure = failureOf(error, world)
  }
  return {
    seed: plan.seed,
    plan,
    failure,
    isVoid: world.counts.commitsUnderFault === 0,
    traceHash: world.trace.hash,
    counts: countsOf(world, healMs),
  }
}

/** Ends all faults and waits until the nodes agree. Answers how long that took. */
function heal(world: World): number {
  const { queue, nodes } = world
  const from = queue.now
  world.isQuiet = true
  world.trace.note(from, 'world', 'HEAL')
  world.faults.stop()
  world.network.heal()
  for (const node of nodes) {
    node.resume()
    node.start()
  }
  // Requests under way and the last waits of all kinds come to their end first.
  queue.runUntil(from + 5_000)
  while (queue.now - from < HEAL_WITHIN_MS && firstDifference(nodes) !== undefined)
    queue.runUntil(queue.now + HEAL_STEP_MS)
  const healMs = queue.now - from
  world.panel.swept()
  world.panel.settled()
  if (world.plan.waitsForExpiry) {
    queue.runUntil(queue.now + world.lifetimes.maxIdleMs + EXPIRY_GRACE_MS)
    world.panel.idled()
  }
  return healMs
}

function failureOf(error: unknown, world: World): Failure {
  const checker = error instanceof Violation ? error.checker : 'Exception'
  const message =
    error instanceof Violation
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error)
  return { checker, message, time: world.queue.now, transcript: world.trace.lines() }
}

function countsOf(world: World, healMs: number): SeedCounts {
  const { oracle, network } = world
  const { reads, replies, anonymousInError } = world.answers
  const simulatedMs = world.queue.now
  return {
    simulatedMs,
    nodeMs: simulatedMs * world.nodes.length,
    steps: world.counts.steps,
    faults: world.faults.total,
    commits: world.counts.commits,
    commitsUnderFault: world.counts.commitsUnderFault,
    creates: oracle.counts.create,
    writes: oracle.counts.write,
    mergingWrites: oracle.counts.merging,
    rotations: oracle.counts.rotate,
    imports: world.imports.imported,
    importsAgain: world.imports.known + world.imports.dead,
    madeTwice: oracle.shared.size,
    kills: oracle.counts.kill,
    revocations: oracle.counts.revoke,
    checks: world.panel.checks,
    reads: reads.checked,
    flaggedStale: reads.flaggedStale,
    sequentialReads: reads.sequential,
    sequentialStale: reads.sequentialStale,
    parallelReads: reads.parallel,
    parallelStale: reads.parallelStale,
    served: replies.served,
    none: replies.none,
    behind: replies.behind,
    failed: replies.failed + replies.refused,
    anonymousInError,
    messages: network.counts.sent,
    messagesLost: network.counts.lost,
    bytes: network.counts.bytes,
    healMs,
  }
}
