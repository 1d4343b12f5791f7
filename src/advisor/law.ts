/**
 * A law: a quantity as a sum of terms, each a known function of the load times a coefficient that nobody
 * knows before a machine was measured. Which term dominates a prediction, and where its coefficient comes
 * from, is then plain data.
 */

/** One reason for a quantity to grow. */
export interface Term<Setting> {
  /** A phrase that ends "… costs so much": `each write, per peer`. */
  readonly name: string
  readonly of: (setting: Setting) => number
}

export interface Law<Setting> {
  /** What is predicted: `bytes sent over the cluster`. */
  readonly name: string
  /** `B`, `B/s`, `cores`, `ms`. */
  readonly unit: string
  readonly terms: readonly Term<Setting>[]
}

/** Something measured, and under which setting. */
export interface Observation<Setting> {
  readonly setting: Setting
  readonly value: number
  /** Where it stands in the run: names the cell. */
  readonly source: string
}

/** A law whose coefficients are known. */
export interface FittedLaw<Setting> {
  readonly law: Law<Setting>
  /** One per term. */
  readonly coefficients: readonly number[]
  /** What they were fitted to. */
  readonly sources: readonly string[]
}

/** A term's part of a prediction. */
export interface Part {
  readonly name: string
  readonly value: number
  readonly coefficient: number
}

export function predict<Setting>({ law, coefficients }: FittedLaw<Setting>, setting: Setting): readonly Part[] {
  return law.terms.map(({ name, of }, i) => {
    const coefficient = coefficients[i] ?? 0
    return { name, coefficient, value: coefficient * of(setting) }
  })
}

export function total(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.value, 0)
}

/** The largest part; undefined when nothing is predicted. */
export function dominant(parts: readonly Part[]): Part | undefined {
  return parts.reduce<Part | undefined>((most, part) => (part.value > (most?.value ?? 0) ? part : most), undefined)
}
