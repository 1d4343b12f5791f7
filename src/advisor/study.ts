/** Fitting a law to the cells that measured its quantity, and finding out how wrong it is where it was not fitted. */
import { toldApart } from './fit.js'
import { predict, total, type FittedLaw, type Law, type Observation } from './law.js'
import { isHeldOut, nameOf } from './measured-load.js'
import type { Judged } from './miss.js'
import type { RunCell } from './run-file.js'

/** A law with what it is fitted to and what it is held against. */
export interface Study<Setting> {
  readonly fitted: FittedLaw<Setting>
  readonly heldOut: readonly Judged[]
  /** The cells that it was fitted to. */
  readonly known: readonly Judged[]
}

export interface Method<Setting> {
  readonly law: Law<Setting>
  readonly fit: (law: Law<Setting>, observations: readonly Observation<Setting>[]) => FittedLaw<Setting>
  /** Undefined where the cell does not say. */
  readonly read: (cell: RunCell) => Pick<Observation<Setting>, 'setting' | 'value'> | undefined
}

/** Held against loads that were measured for that alone. Undefined where too little is left to tell its terms apart. */
export function study<Setting>(method: Method<Setting>, cells: readonly RunCell[]): Study<Setting> | undefined {
  const { law, fit } = method
  const fitting = observed(method, quietOnes(cells.filter((cell) => !isHeldOut(cell)), 2 * law.terms.length))
  // Whatever the machine did meanwhile: who judges was chosen before.
  const others = observed(method, cells.filter(isHeldOut))
  const fitted = fit(law, fitting)
  if (fitted.sources.length < law.terms.length) return undefined
  return { fitted, heldOut: judged(fitted, others), known: judged(fitted, fitting) }
}

/**
 * Where cells are few: each is predicted from all others, and the law is fitted to all of them. The only cell that tells
 * two terms apart cannot be predicted from the others.
 */
export function studyInTurn<Setting>(method: Method<Setting>, cells: readonly RunCell[]): Study<Setting> | undefined {
  const { law, fit } = method
  const all = observed(method, quietOnes(cells, 2 * law.terms.length))
  if (all.length < 2) return undefined
  const settings = all.map(({ setting }) => setting)
  const terms = toldApart(law, settings)
  const inTurn = all.flatMap((one, i) => {
    if (toldApart(law, settings.toSpliced(i, 1)) < terms) return []
    return judged(fit(law, all.toSpliced(i, 1)), [one])
  })
  const fitted = fit(law, all)
  return { fitted, heldOut: inTurn, known: judged(fitted, all) }
}

interface Observed<Setting> extends Observation<Setting> {
  readonly cell: RunCell
}

function observed<Setting>({ read }: Method<Setting>, cells: readonly RunCell[]): readonly Observed<Setting>[] {
  return cells.flatMap((cell) => {
    const seen = read(cell)
    return seen === undefined ? [] : [{ ...seen, source: nameOf(cell), cell }]
  })
}

/** Without those that were measured while the machine did other work, if at least so many are left. */
function quietOnes(cells: readonly RunCell[], least: number): readonly RunCell[] {
  const quiet = cells.filter(({ marks }) => !marks.includes('disturbed'))
  return quiet.length >= least ? quiet : cells
}

function judged<Setting>(fitted: FittedLaw<Setting>, observations: readonly Observed<Setting>[]): readonly Judged[] {
  return observations
    .map(({ setting, value, cell }) => ({ cell, predicted: total(predict(fitted, setting)), measured: value }))
    .filter(({ predicted, measured }) => predicted > 0 && measured > 0 && Number.isFinite(predicted))
}
