/** From the values of the rounds to the figures of a cell. Pure. */
import type { Figure, Unit } from '../results.js'

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = NaN, high = NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return (low + high) / 2
}

/** `rounds` in their order; there is at least one. */
export function figureOf(unit: Unit, rounds: readonly number[], to?: string): Figure {
  const spread = { median: median(rounds), min: Math.min(...rounds), max: Math.max(...rounds) }
  return { unit, ...spread, rounds, ...(to === undefined ? {} : { to }) }
}

/** A share of `count` (0–1), by nearest rank, of values that need not be sorted. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN
}
