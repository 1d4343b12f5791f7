import { fit } from './fit.js'
import { KINDS, type Kind, type KindName, type Quantity } from './kinds.js'
import { predict, total, type FittedLaw, type Law, type Observation } from './law.js'
import { CENTRAL_CPU, MEMORY, P99, type Busy } from './laws.js'
import type { Load } from './load.js'
import type { RunCell, RunFile } from './run-file.js'

/** What is known of a machine: a fitted law for everything that was measured on it, and how wrong each is. */
export interface Calibration {
  readonly run: Omit<RunFile, 'cells'>
  readonly kinds: Readonly<Record<KindName, KindModel>>
  /** By how much predictions missed what was measured: of loads that nothing was fitted to, all kinds together. */
  readonly misses: Readonly<Record<Quantity, Miss>>
  /** From a write until a peer on the same machine shows it, milliseconds; undefined where it was not measured. */
  readonly visibleMs: number | undefined
  /** Cells that were used, of these not fitted to, and of these while the machine did other work. */
  readonly cells: { readonly used: number; readonly heldOut: number; readonly disturbed: number }
}

/** Laws of one kind; what was not measured is absent. */
export type KindModel = Readonly<
  Partial<Record<Exclude<Quantity, 'p99'>, FittedLaw<Load>>> & { readonly p99?: FittedLaw<Busy> }
>

/** Measured divided by predicted: the least and the most of it. */
export interface Miss {
  readonly low: number
  readonly high: number
  /** How many loads that nothing was fitted to; 0: only those that were are left to judge by. */
  readonly heldOut: number
}

/** A law with what it is fitted to and what it is held against. */
interface Study<Setting> {
  readonly fitted: FittedLaw<Setting>
  readonly ratios: { readonly heldOut: Ratios; readonly fitted: Ratios }
}

/** Measured divided by predicted, by cell. */
type Ratios = ReadonlyMap<string, number>

type Read<Setting> = (cell: RunCell, load: Load) => { readonly setting: Setting; readonly value: number } | undefined

const US_PER_S = 1_000_000
const QUANTITIES: readonly Quantity[] = ['cpu', 'storeCpu', 'traffic', 'memory', 'storeMemory', 'p99']
/** Marks of cells that say nothing. */
const WORTHLESS = ['void', 'wrong']

export function calibrate(run: RunFile): Calibration {
  const usable = withHeldOut(run.cells.filter(({ marks }) => !marks.some((mark) => WORTHLESS.includes(mark))))
  const studies = KINDS.map((kind) => ({ kind, of: studiesOf(kind, usable, run.machine.cores) }))
  const models = studies.map(({ kind, of }) => [kind.name, modelOf(of)] as const)
  const misses = QUANTITIES.map((quantity) => {
    const known = studies.flatMap(({ of }) => (of[quantity] === undefined ? [] : [of[quantity].ratios]))
    return [quantity, missOf(known)] as const
  })
  const used = usable.filter(({ question }) => question === 'calibration' || question === 'memory')
  const { cells: _cells, ...about } = run
  return {
    run: about,
    kinds: Object.fromEntries(models) as Record<KindName, KindModel>,
    misses: Object.fromEntries(misses) as Record<Quantity, Miss>,
    visibleMs: visibleMsOf(usable),
    cells: {
      used: used.length,
      heldOut: used.filter(isHeldOut).length,
      disturbed: used.filter(({ marks }) => marks.includes('disturbed')).length,
    },
  }
}

type Studies = Readonly<Partial<Record<Exclude<Quantity, 'p99'>, Study<Load>>> & { readonly p99?: Study<Busy> }>

function studiesOf(kind: Kind, cells: readonly RunCell[], cores: number): Studies {
  const loads = cells.filter(({ question, variant }) => question === 'calibration' && variant in kind.variants)
  const sizes = cells.filter(({ question }) => question === 'memory')
  const perSecond = (figure: string, unit: number): Read<Load> => (cell, setting) => {
    const value = cell.figures[figure]?.median
    return value === undefined ? undefined : { setting, value: (value * setting.rate) / unit }
  }
  // Half of the cores serve, the others make the load: `bench/rig/pinning.ts`.
  const serving = Math.max(1, Math.floor(cores / 2))
  const p99: Read<Busy> = ({ figures }, { rate }) => {
    const [cpu, value] = [figures['cpuPerRequest']?.median, figures['p99']?.median]
    const busy = ((cpu ?? 0) * rate) / US_PER_S / serving
    return value === undefined || busy >= 1 ? undefined : { setting: { busy }, value }
  }
  const memoryIn = (of: string): Study<Load> | undefined => {
    const chosen = sizes.filter(({ variant }) => variant === of)
    return study(MEMORY, kind, chosen, ({ figures }, setting) => {
      const value = figures['rssPerSession']?.median
      return value === undefined ? undefined : { setting, value: value * setting.sessions }
    })
  }
  return compact({
    cpu: study(kind.cpu, kind, loads, perSecond('cpuPerRequest', US_PER_S)),
    storeCpu: kind.hasStore ? study(CENTRAL_CPU, kind, loads, perSecond('redisCpuPerRequest', US_PER_S)) : undefined,
    traffic: study(kind.traffic, kind, loads, perSecond('bytesPerRequest', 1)),
    memory: kind.hasCopies ? memoryIn('mesh-async') : undefined,
    storeMemory: kind.hasStore ? memoryIn('mesh-redis') : undefined,
    p99: study(P99, kind, loads, p99),
  })
}

/** Undefined where too little was measured to tell its terms apart. */
function study<S>(law: Law<S>, kind: Kind, cells: readonly RunCell[], read: Read<S>): Study<S> | undefined {
  const observe = (cell: RunCell): readonly Observation<S>[] => {
    const seen = read(cell, loadOf(cell, kind))
    return seen === undefined ? [] : [{ ...seen, source: nameOf(cell) }]
  }
  const fitting = quietOnes(cells.filter((cell) => !isHeldOut(cell)), 2 * law.terms.length).flatMap(observe)
  const fitted = fit(law, fitting)
  if (fitted.sources.length < law.terms.length) return undefined
  const ratios = (observations: readonly Observation<S>[]): Ratios => {
    const all = observations.map(({ setting, value, source }) => [source, value / total(predict(fitted, setting))] as const)
    return new Map(all.filter(([, ratio]) => Number.isFinite(ratio) && ratio > 0))
  }
  return { fitted, ratios: { heldOut: ratios(quietOnes(cells.filter(isHeldOut), 1).flatMap(observe)), fitted: ratios(fitting) } }
}

/** Without those that were measured while the machine did other work, if at least so many are left. */
function quietOnes(cells: readonly RunCell[], least: number): readonly RunCell[] {
  const quiet = cells.filter(({ marks }) => !marks.includes('disturbed'))
  return quiet.length >= least ? quiet : cells
}

/** Memory is fitted to the most sessions that were measured of each variant; the smaller numbers are held against it. */
function withHeldOut(cells: readonly RunCell[]): readonly RunCell[] {
  const most = new Map<string, number>()
  const sessionsOf = ({ settings }: RunCell): number => Number(settings['sessions'] ?? 0)
  const sizes = cells.filter(({ question }) => question === 'memory')
  for (const cell of sizes) most.set(cell.variant, Math.max(sessionsOf(cell), most.get(cell.variant) ?? 0))
  return cells.map((cell) => {
    const isSmaller = cell.question === 'memory' && sessionsOf(cell) < (most.get(cell.variant) ?? 0)
    return isSmaller ? { ...cell, settings: { ...cell.settings, heldOut: true } } : cell
  })
}

function loadOf({ variant, settings, figures }: RunCell, kind: Kind): Load {
  const number = (name: string): number => Number(settings[name] ?? 0)
  return {
    sessions: number('sessions'),
    bytes: 'sessionBytes' in settings ? number('sessionBytes') : bytesOf(settings['shape']),
    changeBytes: number('changeBytes'),
    rate: figures['rate']?.median ?? number('rate'),
    writes: number('writes'),
    nodes: number('nodes'),
    rttMs: 0,
    acks: kind.variants[variant] ?? 'async',
  }
}

/** `256B`, `1KB`. */
function bytesOf(shape: unknown): number {
  const [, amount, kilo] = /^(\d+)(K?)B$/.exec(String(shape)) ?? []
  return Number(amount ?? 0) * (kilo === 'K' ? 1_000 : 1)
}

function isHeldOut({ settings }: RunCell): boolean {
  return settings['heldOut'] === true
}

function nameOf({ question, variant, settings }: RunCell): string {
  const held = Object.entries(settings).filter(([name]) => name !== 'heldOut' && name !== 'changeBytes')
  return [question, variant, ...held.map(([name, value]) => `${name} ${value}`)].join(', ')
}

function modelOf(studies: Studies): KindModel {
  const { p99, ...others } = studies
  const fitted = Object.entries(others).map(([quantity, { fitted: law }]) => [quantity, law] as const)
  return { ...(Object.fromEntries(fitted) as KindModel), ...(p99 === undefined ? {} : { p99: p99.fitted }) }
}

/** Held-out loads if there are any; those that were fitted to flatter. */
function missOf(known: readonly Study<unknown>['ratios'][]): Miss {
  const heldOut = new Map(known.flatMap((ratios) => [...ratios.heldOut]))
  const judging = heldOut.size > 0 ? heldOut : new Map(known.flatMap(({ fitted }) => [...fitted]))
  const ratios = [...judging.values()]
  return { low: Math.min(1, ...ratios), high: Math.max(1, ...ratios), heldOut: heldOut.size }
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
