/**
 * One measured stretch of time: what the load did in it, what it cost, and whether it can be trusted. Clock and CPU
 * counters come in as arguments, so that the rules are tested without a machine.
 */
import type { Load, LoadResult } from '../load/load.js'
import type { Mark } from '../results.js'

/** Busy time of other processes above this share of one window's core time: the machine did other work. */
export const DISTURBED_SHARE = 0.05
/** A disturbed window is repeated so often. */
export const REPEATS_MAX = 2
/** Less of the intended load than this: the round is void. */
export const LOAD_SHARE_MIN = 0.9

/** CPU time so far. */
export interface CpuReading {
  /** All work of the machine but that of interrupts, over all cores; undefined where the platform does not say. */
  readonly machineMs: number | undefined
  /** By what the process is for. */
  readonly ownMs: Readonly<Record<Role, number>>
}

/** What a process of the run is for; `generator` is the process that puts the load on. */
export type Role = 'server' | 'redis' | 'relay' | 'generator'

export interface Meter {
  readonly cores: number
  readonly nowMs: () => number
  readonly cpu: () => Promise<CpuReading>
}

export interface Window<T extends LoadResult = LoadResult> {
  readonly load: T
  readonly seconds: number
  /** CPU milliseconds that were used in it, by role. */
  readonly cpuMs: Readonly<Record<Role, number>>
  /** Of all core time, what others used; 0 where the platform does not say. */
  readonly foreignShare: number
  readonly marks: readonly Mark[]
  readonly notes: readonly string[]
}

/** Measures `load`; again where others disturbed it, and of all tries the least disturbed counts. */
export async function measureWindow<T extends LoadResult>(
  meter: Meter,
  load: Load<T>,
  { intended }: { readonly intended?: number } = {},
): Promise<Window<T>> {
  let best = await measureOnce(meter, load)
  for (let repeat = 0; repeat < REPEATS_MAX && best.foreignShare > DISTURBED_SHARE; repeat++) {
    const again = await measureOnce(meter, load)
    // A wrong answer stays one, however quiet the machine is the next time.
    const [better, worse] = again.foreignShare <= best.foreignShare ? [again, best] : [best, again]
    best = { ...better, load: { ...better.load, wrong: better.load.wrong + worse.load.wrong } }
  }
  return judge(best, intended)
}

async function measureOnce<T extends LoadResult>(meter: Meter, load: Load<T>): Promise<Window<T>> {
  const before = await meter.cpu()
  const startedMs = meter.nowMs()
  const result = await load()
  const passedMs = meter.nowMs() - startedMs
  const after = await meter.cpu()
  const roles = Object.keys(after.ownMs) as Role[]
  const used = roles.map((role) => [role, after.ownMs[role] - before.ownMs[role]] as const)
  const ownMs = used.reduce((sum, [, ms]) => sum + ms, 0)
  const { machineMs: to } = after
  const { machineMs: from } = before
  const foreignMs = to === undefined || from === undefined ? 0 : Math.max(0, to - from - ownMs)
  return {
    load: result,
    seconds: passedMs / 1_000,
    cpuMs: Object.fromEntries(used) as Record<Role, number>,
    foreignShare: passedMs > 0 ? foreignMs / (passedMs * meter.cores) : 0,
    marks: [],
    notes: [],
  }
}

function judge<T extends LoadResult>(window: Window<T>, intended: number | undefined): Window<T> {
  const { load, foreignShare } = window
  const marks: Mark[] = []
  const notes: string[] = []
  if (foreignShare > DISTURBED_SHARE) {
    marks.push('disturbed')
    notes.push(`other work took ${percent(foreignShare)} of the machine in the quietest of ${REPEATS_MAX + 1} tries`)
  }
  const share = intended === undefined ? 1 : load.operations / Math.max(1, intended * load.seconds)
  if (share < LOAD_SHARE_MIN) {
    marks.push('void')
    notes.push(`${percent(share)} of the intended load of ${intended} per second`)
  }
  if (load.wrong > 0) {
    marks.push('wrong')
    notes.push(`${load.wrong} of ${load.operations} answers were not the last acknowledged value`)
  }
  if (load.failed > 0) {
    marks.push('void')
    notes.push(`${load.failed} requests failed`)
  }
  return { ...window, marks: [...new Set(marks)], notes }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
