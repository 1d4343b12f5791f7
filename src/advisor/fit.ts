import type { FittedLaw, Law, Observation } from './law.js'

/** Below this share of a column's size, what is left of it after elimination is rounding. */
const PIVOT_MIN = 1e-9

/**
 * Fits a law to what was measured: least squares of the relative errors, so that a small cell counts as much
 * as a large one, and no coefficient below zero, since no work is negative. Terms that the observations
 * cannot tell apart get the coefficient in the first of them.
 */
export function fit<Setting>(law: Law<Setting>, observations: readonly Observation<Setting>[]): FittedLaw<Setting> {
  const usable = observations.filter(({ value }) => Number.isFinite(value) && value > 0)
  const rows = usable.map(({ setting, value }) => law.terms.map(({ of }) => of(setting) / value))
  const columns = law.terms.map((_, column) => rows.map((row) => row[column] ?? 0))
  return {
    law,
    coefficients: nonNegative(columns, rows.length),
    sources: usable.map(({ source }) => source),
  }
}

/** The most negative coefficient becomes zero and the rest is solved again, until none is negative. */
function nonNegative(columns: readonly (readonly number[])[], rows: number): readonly number[] {
  const active = new Set(columns.keys())
  for (;;) {
    const order = [...active]
    const solved = leastSquares(order.map((column) => columns[column] ?? []), rows)
    const worst = solved.reduce((least, value, i) => (value < (solved[least] ?? 0) ? i : least), 0)
    if ((solved[worst] ?? 0) >= 0) {
      const coefficients = columns.map(() => 0)
      order.forEach((column, i) => (coefficients[column] = solved[i] ?? 0))
      return coefficients
    }
    active.delete(order[worst] ?? -1)
  }
}

/**
 * Coefficients c with sum over columns of c · column near 1 in every row: Gram-Schmidt, then substitution.
 */
function leastSquares(columns: readonly (readonly number[])[], rows: number): readonly number[] {
  const bases: { readonly column: number; readonly q: readonly number[]; readonly r: readonly number[] }[] = []
  columns.forEach((values, column) => {
    const r: number[] = []
    let rest = [...values]
    for (const { q } of bases) {
      const along = dot(q, rest)
      r.push(along)
      rest = rest.map((value, i) => value - along * (q[i] ?? 0))
    }
    const length = Math.sqrt(dot(rest, rest))
    if (length <= PIVOT_MIN * Math.sqrt(dot(values, values))) return
    bases.push({ column, q: rest.map((value) => value / length), r: [...r, length] })
  })
  const ones = Array.from({ length: rows }, () => 1)
  const targets = bases.map(({ q }) => dot(q, ones))
  const solution = columns.map(() => 0)
  for (let i = bases.length - 1; i >= 0; i--) {
    const known = bases.slice(i + 1).reduce((sum, later) => sum + (later.r[i] ?? 0) * (solution[later.column] ?? 0), 0)
    const base = bases[i]
    if (base !== undefined) solution[base.column] = ((targets[i] ?? 0) - known) / (base.r[i] ?? 1)
  }
  return solution
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}
