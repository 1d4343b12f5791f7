import { COUNT_NAMES, type SeedCounts, type SeedResult } from './run.js'

/** What many seeds came to; two totals of different seeds add up. */
export interface Totals {
  readonly seeds: number
  readonly clean: number
  readonly void: number
  /** Time of the processors that simulated, milliseconds. */
  readonly workMs: number
  readonly counts: SeedCounts
}

export const NO_SEEDS: Totals = { seeds: 0, clean: 0, void: 0, workMs: 0, counts: noCounts() }

export function totalsOf(result: SeedResult, workMs: number): Totals {
  const isClean = result.failure === undefined
  return { seeds: 1, clean: isClean ? 1 : 0, void: result.isVoid ? 1 : 0, workMs, counts: result.counts }
}

export function addTotals(a: Totals, b: Totals): Totals {
  const counts = Object.fromEntries(
    COUNT_NAMES.map((name) => [name, (a.counts[name] ?? 0) + (b.counts[name] ?? 0)]),
  )
  return {
    seeds: a.seeds + b.seeds,
    clean: a.clean + b.clean,
    void: a.void + b.void,
    workMs: a.workMs + b.workMs,
    counts: { ...noCounts(), ...counts },
  }
}

/** The figures worth reading, by name. */
export function describeTotals(totals: Totals): readonly (readonly [string, string])[] {
  const { seeds, clean, workMs, counts } = totals
  const perSeed = (count: number): string => `${whole(count)} (${whole(count / Math.max(1, seeds))} per seed)`
  return [
    ['seeds', `${whole(seeds)}, ${whole(clean)} clean, ${whole(totals.void)} void (no fault overlapped a commit)`],
    ['simulated', `${(counts.nodeMs / 3_600_000).toFixed(1)} node-hours`],
    ['speed', `${whole(counts.simulatedMs / Math.max(1, workMs))} x real time per core`],
    ['faults', perSeed(counts.faults)],
    ['commits', `${perSeed(counts.commits)}, ${percent(counts.commitsUnderFault, counts.commits)} under a fault`],
    ['merging writes', `${whole(counts.mergingWrites)}: to counters, maxima and sets, in some seeds`],
    ['taken over', `${whole(counts.imports)} sessions made elsewhere, and ${whole(counts.importsAgain)} again`],
    ['made twice', `${whole(counts.madeTwice)} ids under which several nodes made a session, in some seeds`],
    ['kills', perSeed(counts.kills)],
    ['rotations', perSeed(counts.rotations)],
    ['checks', whole(counts.checks)],
    ['checked reads', `${whole(counts.reads)}, and ${whole(counts.flaggedStale)} flagged as stale`],
    ['older than seen', `${rate(counts.sequentialStale, counts.sequentialReads)} of reads, one tab at a time`],
    ['', `${rate(counts.parallelStale, counts.parallelReads)} of reads, parallel tabs`],
    [
      'refused',
      `${whole(counts.behind)} with 503; ${whole(counts.anonymousInError)} as unknown while cut off from who knew`,
    ],
    ['messages', `${whole(counts.messages)}, ${percent(counts.messagesLost, counts.messages)} lost`],
    ['agreed after', `${(counts.healMs / Math.max(1, clean) / 1000).toFixed(1)} s on average`],
  ]
}

function noCounts(): SeedCounts {
  const counts: Partial<Record<(typeof COUNT_NAMES)[number], number>> = {}
  for (const name of COUNT_NAMES) counts[name] = 0
  return counts as SeedCounts
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function percent(part: number, all: number): string {
  return `${((100 * part) / Math.max(1, all)).toFixed(0)} %`
}

function rate(part: number, all: number): string {
  return `${whole(part)} of ${whole(all)} (${((100 * part) / Math.max(1, all)).toFixed(3)} %)`
}
