import { fit, fitMedian } from './fit.js'
import { KINDS, type Kind, type KindName, type Quantity } from './kinds.js'
import type { FittedLaw, Law } from './law.js'
import { CENTRAL_CPU, MEMORY, P99, type Busy } from './laws.js'
import type { Load } from './load.js'
import { busyShare, bytesPerSession, isHeldOut, loadOf } from './measured-load.js'
import type { RunCell, RunFile } from './run-file.js'
import { study, studyInTurn, type JudgedBy, type Study } from './study.js'

/** What is known of a machine: a fitted law for everything that was measured on it, and how wrong each is. */
export interface Calibration {
  readonly run: Omit<RunFile, 'cells'>
  readonly kinds: Readonly<Record<KindName, KindModel>>
  /** Of every kind: a process that is as busy answers as late. */
  readonly p99: FittedLaw<Busy> | undefined
  /** By how much predictions missed what was measured: of loads that nothing was fitted to, all kinds together. */
  readonly misses: Readonly<Record<Quantity, Miss>>
  /** From a write until a peer on the same machine shows it, milliseconds; undefined where it was not measured. */
  readonly visibleMs: number | undefined
  /** Cells that were used, of these not fitted to, and of these while the machine did other work. */
  readonly cells: { readonly used: number; readonly heldOut: number; readonly disturbed: number }
}

/** Laws of one kind; what was not measured is absent. */
export type KindModel = Readonly<Partial<Record<Owned, FittedLaw<Load>>>>

/** What every kind has a law of its own for. */
type Owned = Exclude<Quantity, 'p99'>
type Studies = Readonly<Partial<Record<Owned, Study<Load>>>>

/** Measured divided by predicted: the least and the most of it. */
export interface Miss {
  readonly low: number
  readonly high: number
  /** How many loads that nothing was fitted to; 0: only those that were are left to judge by. */
  readonly heldOut: number
  /** How many loads that it was fitted to have a say as well. */
  readonly fitted: number
}

const US_PER_S = 1_000_000
const OWNED: readonly Owned[] = ['cpu', 'storeCpu', 'traffic', 'memory', 'storeMemory']
/** Marks of cells that say nothing. */
const WORTHLESS = ['void', 'wrong']
/**
 * Of the cores that serve. Busier than that, work waits, is done in larger pieces and costs less each: such a cell says
 * what the machine can take, not what a request costs.
 */
const SATURATED = 0.9

export function calibrate(run: RunFile): Calibration {
  const { cores } = run.machine
  const usable = run.cells.filter(({ marks }) => !marks.some((mark) => WORTHLESS.includes(mark)))
  const sizes = usable.filter(({ question }) => question === 'memory')
  const loads = usable.filter((cell) => cell.question === 'calibration' && busyShare(cell, cores) <= SATURATED)
  const studies = KINDS.map((kind) => ({ kind, of: studiesOf(kind, loads, sizes) }))
  const p99 = studyOfP99(loads, cores)
  const misses = OWNED.map((quantity) => {
    return [quantity, missOf(studies.flatMap(({ of }) => of[quantity]?.ratios ?? []))] as const
  })
  const used = [...loads, ...sizes]
  const { cells: _cells, ...about } = run
  return {
    run: about,
    kinds: Object.fromEntries(studies.map(({ kind, of }) => [kind.name, modelOf(of)])) as Record<KindName, KindModel>,
    p99: p99?.fitted,
    misses: { ...(Object.fromEntries(misses) as Record<Owned, Miss>), p99: missOfP99(p99?.ratios) },
    visibleMs: visibleMsOf(usable),
    cells: {
      used: used.length,
      heldOut: used.filter(isHeldOut).length,
      disturbed: used.filter(({ marks }) => marks.includes('disturbed')).length,
    },
  }
}

function studiesOf(kind: Kind, loads: readonly RunCell[], sizes: readonly RunCell[]): Studies {
  const own = loads.filter(({ variant }) => variant in kind.variants)
  const perSecond = (law: Law<Load>, figure: string, unit: number): Study<Load> | undefined => {
    const read = (cell: RunCell) => {
      const [setting, value] = [loadOf(cell, kind), cell.figures[figure]?.median]
      return value === undefined ? undefined : { setting, value: (value * setting.rate) / unit }
    }
    return study({ law, fit, read }, own)
  }
  const memoryIn = (of: string): Study<Load> | undefined => {
    const read = (cell: RunCell) => {
      const [setting, each] = [loadOf(cell, kind), bytesPerSession(cell)]
      return each === undefined ? undefined : { setting, value: each * setting.sessions }
    }
    return studyInTurn({ law: MEMORY, fit, read }, sizes.filter(({ variant }) => variant === of))
  }
  return compact({
    cpu: perSecond(kind.cpu, 'cpuPerRequest', US_PER_S),
    storeCpu: kind.hasStore ? perSecond(CENTRAL_CPU, 'redisCpuPerRequest', US_PER_S) : undefined,
    traffic: perSecond(kind.traffic, 'bytesPerRequest', 1),
    memory: kind.hasCopies ? memoryIn('mesh-async') : undefined,
    storeMemory: kind.hasStore ? memoryIn('mesh-redis') : undefined,
  })
}

/** By the median: among a few hundred requests a single collection of garbage makes the p99 of a cell several times as long. */
function studyOfP99(loads: readonly RunCell[], cores: number): Study<Busy> | undefined {
  const known = loads.filter(({ variant }) => KINDS.some(({ variants }) => variant in variants))
  const read = (cell: RunCell) => {
    const value = cell.figures['p99']?.median
    return value === undefined ? undefined : { setting: { busy: busyShare(cell, cores) }, value }
  }
  return study({ law: P99, fit: fitMedian, read }, known)
}

function modelOf(studies: Studies): KindModel {
  return Object.fromEntries(Object.entries(studies).map(([quantity, { fitted }]) => [quantity, fitted]))
}

/** Held-out loads if there are any; those that were fitted to flatter. */
function missOf(known: readonly JudgedBy[]): Miss {
  const heldOut = new Map(known.flatMap((ratios) => [...ratios.heldOut]))
  const judging = heldOut.size > 0 ? heldOut : new Map(known.flatMap(({ fitted }) => [...fitted]))
  const ratios = [...judging.values()]
  return { low: Math.min(1, ...ratios), high: Math.max(1, ...ratios), heldOut: heldOut.size, fitted: 0 }
}

/**
 * One stall more or less in a window of a second moves its p99 further than the law is wrong, and a few held-out loads see
 * too few of them: so eight of ten of the loads that were fitted to have a say, too. They outnumber the law's terms by far.
 */
function missOfP99(known: JudgedBy | undefined): Miss {
  if (known === undefined) return missOf([])
  const { low, high, heldOut } = missOf([known])
  const sorted = [...known.fitted.values()].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 1
  return { low: Math.min(low, at(0.1)), high: Math.max(high, at(0.9)), heldOut, fitted: sorted.length }
}

function visibleMsOf(cells: readonly RunCell[]): number | undefined {
  const seen = cells.find(({ question, figures }) => question === 'replication' && 'visibleP50' in figures)
  const us = seen?.figures['visibleP50']?.median
  return us === undefined ? undefined : us / 1_000
}

function compact<T extends object>(record: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
