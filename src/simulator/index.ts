/** The simulator: n replicas, virtual time, seeded faults, and checkers for everything the protocol promises. */
export { ALL_CHECKERS } from './checkers/all.js'
export { Violation, type Checker, type CheckerFactory, type Scene } from './checkers/checker.js'
export { FAULT_KINDS, type FaultKind } from './episodes.js'
export type { FaultWeight } from './faults.js'
export { drawPlan, type Plan, type SimulationOptions } from './plan.js'
export { addTotals, describeTotals, NO_SEEDS, totalsOf, type Totals } from './report.js'
export { COUNT_NAMES, runPlan, simulate, type Failure, type SeedCounts, type SeedResult } from './run.js'
export { shrink, type Shrunk, type ShrinkOptions } from './shrink.js'
