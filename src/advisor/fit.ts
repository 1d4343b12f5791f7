import { predict, total, type FittedLaw, type Law, type Observation } from './law.js'

/** Below this share of a column's size, what is left of it after elimination is rounding. */
const PIVOT_MIN = 1e-9
/** Steps towards the median: more change nothing that could be seen. */
const STEPS = 60
/** An observation nearer to the law than this factor pulls no more for being near. */
const NEAR = 0.02

/** Rows of a linear system, by columns. */
type Columns = readonly (readonly number[])[]

/**
 * Fits a law to what was measured: least squares of the relative errors, so that a small cell counts as much
 * as a large one, and no coefficient below zero, since no work is negative. Terms that the observations
 * cannot tell apart get the coefficient in the first of them.
 */
export function fit<Setting>(law: Law<Setting>, observations: readonly Observation<Setting>[]): FittedLaw<Setting> {
  const usable = usableOf(observations)
  const ones = usable.map(() => 1)
  return fittedTo(law, usable, nonNegative(columnsOf(law, usable, usable.map(({ value }) => 1 / value)), ones))
}

/**
 * The same, but by the median: half of the observations lie above the law, however far. For what a stall now and then
 * makes many times larger, and nothing makes smaller. Least absolute errors of the logarithms, by squares that are
 * weighted anew in each step (Schlossmacher 1973).
 */
export function fitMedian<Setting>(law: Law<Setting>, observations: readonly Observation<Setting>[]): FittedLaw<Setting> {
  const usable = usableOf(observations)
  let fitted = fit(law, observations)
  for (let step = 0; step < STEPS; step++) {
    const expected = usable.map(({ setting }) => total(predict(fitted, setting)))
    const errors = usable.map(({ value }, i) => Math.log(value / (expected[i] ?? value)))
    if (!errors.every(Number.isFinite)) return fitted
    const weights = errors.map((error) => 1 / Math.sqrt(Math.max(NEAR, Math.abs(error))))
    const scales = expected.map((value, i) => (weights[i] ?? 0) / value)
    const targets = errors.map((error, i) => (weights[i] ?? 0) * (1 + error))
    fitted = fittedTo(law, usable, nonNegative(columnsOf(law, usable, scales), targets))
  }
  return fitted
}

/** How many terms loads like these tell apart. */
export function toldApart<Setting>(law: Law<Setting>, settings: readonly Setting[]): number {
  return orthogonal(law.terms.map(({ of }) => settings.map(of))).length
}

function usableOf<Setting>(observations: readonly Observation<Setting>[]): readonly Observation<Setting>[] {
  return observations.filter(({ value }) => Number.isFinite(value) && value > 0)
}

function fittedTo<Setting>(
  law: Law<Setting>,
  usable: readonly Observation<Setting>[],
  coefficients: readonly number[],
): FittedLaw<Setting> {
  return { law, coefficients, sources: usable.map(({ source }) => source) }
}

/** A column for each term, every row of it scaled. */
function columnsOf<Setting>(
  law: Law<Setting>,
  observations: readonly Observation<Setting>[],
  scales: readonly number[],
): Columns {
  return law.terms.map(({ of }) => observations.map(({ setting }, row) => of(setting) * (scales[row] ?? 0)))
}

/** The most negative coefficient becomes zero and the rest is solved again, until none is negative. */
function nonNegative(columns: Columns, targets: readonly number[]): readonly number[] {
  const active = new Set(columns.keys())
  for (;;) {
    const order = [...active]
    const solved = leastSquares(order.map((column) => columns[column] ?? []), targets)
    const worst = solved.reduce((least, value, i) => (value < (solved[least] ?? 0) ? i : least), 0)
    if ((solved[worst] ?? 0) >= 0) {
      const coefficients = columns.map(() => 0)
      order.forEach((column, i) => (coefficients[column] = solved[i] ?? 0))
      return coefficients
    }
    active.delete(order[worst] ?? -1)
  }
}

/** Coefficients c with sum over columns of c · column near the targets: substitution in an orthogonal basis. */
function leastSquares(columns: Columns, targets: readonly number[]): readonly number[] {
  const bases = orthogonal(columns)
  const along = bases.map(({ q }) => dot(q, targets))
  const solution = columns.map(() => 0)
  for (let i = bases.length - 1; i >= 0; i--) {
    const known = bases.slice(i + 1).reduce((sum, later) => sum + (later.r[i] ?? 0) * (solution[later.column] ?? 0), 0)
    const base = bases[i]
    if (base !== undefined) solution[base.column] = ((along[i] ?? 0) - known) / (base.r[i] ?? 1)
  }
  return solution
}

interface Base {
  readonly column: number
  /** Of length 1, at right angles to those before. */
  readonly q: readonly number[]
  /** How much of each base up to this one makes up the column. */
  readonly r: readonly number[]
}

/** Gram-Schmidt. A column that those before make up has none of its own. */
function orthogonal(columns: Columns): readonly Base[] {
  const bases: Base[] = []
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
  return bases
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}
