import { fit, fitMedian } from './fit.js'
import { KINDS, type Kind, type KindName, type Quantity } from './kinds.js'
import { predict, total, type FittedLaw, type Law } from './law.js'
import { BUSY_MAX_OF_P99, MEMORY, P99, type Busy } from './laws.js'
import type { Load } from './load.js'
import { busyShare, bytesPerSession, isHeldOut, loadOf, servingCores } from './measured-load.js'
import { missOf, missOfP99, type Judged, type Miss } from './miss.js'
import type { RunCell, RunFile } from './run-file.js'
import { study, studyInTurn, type Study } from './study.js'

/** What is known of a machine: a fitted law for everything that was measured on it, and how wrong each is. */
export interface Calibration {
  readonly run: Omit<RunFile, 'cells'>
  readonly kinds: Readonly<Record<KindName, KindModel>>
  /** Of every kind: a process that is as busy answers as late. */
  readonly p99: FittedLaw<Busy> | undefined
  /** By how much predictions missed what was measured: of loads that nothing was fitted to, all kinds together. */
  readonly misses: Readonly<Record<Quantity, Miss>>
  /** These loads. */
  readonly heldOut: Readonly<Record<Quantity, readonly Judged[]>>
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

const US_PER_S = 1_000_000
const OWNED: readonly Owned[] = ['cpu', 'storeCpu', 'traffic', 'memory', 'storeMemory']
/** Marks of cells that say nothing. */
const WORTHLESS = ['void', 'wrong']
/**
 * Of the cores that serve. Busier than that, work waits, is done in larger pieces and costs less each: such a cell says
 * what the machine can take, not what a request costs.
 */
const SATURATED = 0.8

export function calibrate(run: RunFile): Calibration {
  const { cores } = run.machine
  const usable = run.cells.filter(({ marks }) => !marks.some((mark) => WORTHLESS.includes(mark)))
  const sizes = usable.filter(({ question }) => question === 'memory')
  const loads = usable.filter((cell) => cell.question === 'calibration' && busyShare(cell, cores) <= SATURATED)
  const studies = KINDS.map((kind) => ({ kind, of: studiesOf(kind, loads, sizes) }))
  const kinds = Object.fromEntries(studies.map(({ kind, of }) => [kind.name, modelOf(of)])) as Calibration['kinds']
  const p99 = studyOfP99(loads, kinds, cores)
  const about = OWNED.map((quantity) => {
    const all = studies.flatMap(({ of }) => of[quantity] ?? [])
    const [heldOut, known] = [once(all.flatMap((each) => each.heldOut)), once(all.flatMap((each) => each.known))]
    return { quantity, heldOut, miss: missOf(quantity, heldOut, known) }
  })
  const of = <T>(read: (each: (typeof about)[number]) => T): Record<Owned, T> => {
    return Object.fromEntries(about.map((each) => [each.quantity, read(each)])) as Record<Owned, T>
  }
  const used = [...loads, ...sizes]
  const { cells: _cells, ...origin } = run
  return {
    run: origin,
    kinds,
    p99: p99?.fitted,
    misses: { ...of(({ miss }) => miss), p99: missOfP99(p99?.heldOut ?? [], p99?.known ?? []) },
    heldOut: { ...of(({ heldOut }) => heldOut), p99: p99?.heldOut ?? [] },
    visibleMs: visibleMsOf(usable),
    cells: {
      used: used.length,
      heldOut: used.filter(isHeldOut).length,
      disturbed: used.filter(({ marks }) => marks.includes('disturbed')).length,
    },
  }
}

/** Kinds that share a law share its cells. */
function once(judged: readonly Judged[]): readonly Judged[] {
  return [...new Map(judged.map((one) => [one.cell, one])).values()]
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
    storeCpu: kind.storeCpu && perSecond(kind.storeCpu, 'redisCpuPerRequest', US_PER_S),
    traffic: perSecond(kind.traffic, 'bytesPerRequest', 1),
    memory: kind.hasCopies ? memoryIn('mesh-async') : undefined,
    storeMemory: kind.storeCpu && memoryIn('mesh-redis'),
  })
}

/**
 * By the median: among a few hundred requests a single collection of garbage makes the p99 of a cell several times as long.
 * A load that is held out is predicted as a stranger's: by how busy it is expected to be, not by how busy it was.
 */
function studyOfP99(loads: readonly RunCell[], kinds: Calibration['kinds'], cores: number): Study<Busy> | undefined {
  const read = (cell: RunCell) => {
    const value = cell.figures['p99']?.median
    const busy = isHeldOut(cell) ? busyExpected(cell, kinds, cores) : busyShare(cell, cores)
    return value === undefined || busy === undefined || busy > BUSY_MAX_OF_P99 ? undefined : { setting: { busy }, value }
  }
  return study({ law: P99, fit: fitMedian, read }, loads.filter((cell) => kindOf(cell) !== undefined))
}

/** Nodes and Redis share the serving cores. */
function busyExpected(cell: RunCell, kinds: Calibration['kinds'], cores: number): number | undefined {
  const kind = kindOf(cell)
  const model = kind && kinds[kind.name]
  if (kind === undefined || model?.cpu === undefined) return undefined
  const laws = [model.cpu, model.storeCpu].flatMap((law) => law ?? [])
  const load = loadOf(cell, kind)
  return laws.reduce((sum, law) => sum + total(predict(law, load)), 0) / servingCores(cores)
}

function kindOf({ variant }: RunCell): Kind | undefined {
  return KINDS.find(({ variants }) => variant in variants)
}

function modelOf(studies: Studies): KindModel {
  return Object.fromEntries(Object.entries(studies).map(([quantity, { fitted }]) => [quantity, fitted]))
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
