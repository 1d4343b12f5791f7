/** Finding in a run what a plot, a sentence or a goal speaks of. */
import type { BenchRun, Cell, Figure, QuestionName } from '../results.js'
import { byOrder } from './names.js'

export interface Wanted {
  readonly variant?: string
  /** The cell has these among its settings. */
  readonly settings?: Cell['settings']
  /** The cell has none of these. */
  readonly except?: Cell['settings']
  readonly figure?: string
  readonly curve?: string
}

/** All cells of a question that fit; those of one variant stand together. */
export function cellsOf(run: BenchRun, question: QuestionName, wanted: Wanted = {}): readonly Cell[] {
  const cells = run.cells.filter((cell) => cell.question === question && fits(cell, wanted))
  return cells.sort((a, b) => byOrder(a.variant, b.variant))
}

function fits(cell: Cell, { variant, settings = {}, except = {}, figure, curve }: Wanted): boolean {
  if (variant !== undefined && cell.variant !== variant) return false
  if (figure !== undefined && cell.figures[figure] === undefined) return false
  if (curve !== undefined && cell.curves[curve] === undefined) return false
  if (Object.entries(except).some(([name, value]) => cell.settings[name] === value)) return false
  return Object.entries(settings).every(([name, value]) => cell.settings[name] === value)
}

/** Of the first cell that fits; of those that differ by the number of sessions, of that with the most. */
export function figureOf(
  run: BenchRun,
  question: QuestionName,
  figure: string,
  wanted: Wanted = {},
): Figure | undefined {
  const cells = cellsOf(run, question, { ...wanted, figure })
  return cells.toSorted((a, b) => sessionsIn(b) - sessionsIn(a))[0]?.figures[figure]
}

export function sessionsIn({ settings: { sessions = 0 } }: Cell): number {
  return Number(sessions)
}

/** Lists of those with the same key, in the order in which the keys come. */
export function grouped<T, K>(
  items: readonly T[],
  keyOf: (item: T) => K,
): readonly (readonly [key: K, items: readonly T[]])[] {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return [...groups]
}

/** The different values of a setting, in their order. */
export function valuesOf(cells: readonly Cell[], setting: string): readonly (string | number | boolean)[] {
  const values = [...new Set(cells.flatMap((cell) => cell.settings[setting] ?? []))]
  return values.sort((a, b) => {
    return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))
  })
}
