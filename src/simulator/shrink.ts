import type { CheckerFactory } from './checkers/checker.js'
import type { Plan } from './plan.js'
import { runPlan, type Failure } from './run.js'

export interface Shrunk {
  readonly plan: Plan
  readonly failure: Failure
  /** Simulations it took. */
  readonly attempts: number
}

export interface ShrinkOptions {
  readonly attemptsMax: number
  /** Lines of the transcript to keep. */
  readonly traceLines: number
  readonly checkers?: readonly CheckerFactory[]
}

/** Faults stop this long after the moment that failed, virtual milliseconds. */
const AFTERWARDS_MS = 100

/**
 * Makes a failing plan smaller while the same promise still breaks: less time, fewer kinds of faults, fewer browsers,
 * fewer nodes, nothing taken over, nothing made twice, nothing that merges. Answers with the smallest found and its transcript; undefined
 * when the plan does not fail at all.
 */
export function shrink(plan: Plan, options: ShrinkOptions): Shrunk | undefined {
  const found = runPlan(plan, options.checkers).failure
  if (found === undefined) return undefined
  let best = {
    plan: { ...plan, durationMs: Math.min(plan.durationMs, found.time + AFTERWARDS_MS) },
    failure: found,
  }
  let attempts = 1
  for (let smaller = true; smaller; ) {
    smaller = false
    for (const candidate of smallerPlans(best.plan)) {
      if (attempts >= options.attemptsMax) break
      attempts++
      const { failure } = runPlan(candidate, options.checkers)
      if (failure?.checker !== found.checker) continue
      const durationMs = Math.min(candidate.durationMs, failure.time + AFTERWARDS_MS)
      best = { plan: { ...candidate, durationMs }, failure }
      smaller = true
      break
    }
  }
  const failure =
    runPlan({ ...best.plan, traceLines: options.traceLines }, options.checkers).failure ?? best.failure
  return { plan: best.plan, failure, attempts }
}

/** From the boldest cut to the most careful one. */
function* smallerPlans(plan: Plan): Generator<Plan> {
  if (plan.durationMs > 10_000) yield { ...plan, durationMs: plan.durationMs / 2 }
  if (plan.browsers > 1) yield { ...plan, browsers: Math.ceil(plan.browsers / 2) }
  if (plan.faults.length > 1) yield { ...plan, faults: [] }
  for (const fault of plan.faults) yield { ...plan, faults: plan.faults.filter((other) => other !== fault) }
  if (plan.imports) yield { ...plan, imports: false }
  if (plan.twins) yield { ...plan, twins: false }
  if (plan.merges) yield { ...plan, merges: false }
  if (plan.browsers > 1) yield { ...plan, browsers: plan.browsers - 1 }
  if (plan.nodes > 2) yield { ...plan, nodes: plan.nodes - 1 }
  if (plan.durationMs > 5_000) yield { ...plan, durationMs: plan.durationMs * 0.8 }
}
