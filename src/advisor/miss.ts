/** How wrong predictions are: what was predicted of loads that were then measured. */
import type { Quantity } from './kinds.js'
import type { RunCell } from './run-file.js'

/** One load, both ways. */
export interface Judged {
  readonly cell: RunCell
  readonly predicted: number
  readonly measured: number
}

/** Measured divided by predicted: between what of it is said to lie. */
export interface Miss {
  readonly low: number
  readonly high: number
  /** How many loads that nothing was fitted to; 0: only those that were are left to judge by. */
  readonly heldOut: number
  /** Of these, how many keep what is promised of the quantity. */
  readonly kept: number
  /** How many loads that it was fitted to have a say as well. */
  readonly fitted: number
}

/** Further off than this share of what was predicted, a prediction breaks its promise. */
export const PROMISED: Readonly<Record<Quantity, number>> = {
  cpu: 0.3,
  storeCpu: 0.3,
  traffic: 0.3,
  memory: 0.3,
  storeMemory: 0.3,
  p99: 0.5,
}

/** Of the fitted loads, each side of the interval of a p99 leaves out so many: stalls of the machine, mostly. */
const OUTLIERS = 0.1

/** As far off as held-out loads were, if there are any; those that were fitted to flatter. */
export function missOf(quantity: Quantity, heldOut: readonly Judged[], known: readonly Judged[]): Miss {
  const ratios = (heldOut.length > 0 ? heldOut : known).map(ratioOf)
  return { low: Math.min(1, ...ratios), high: Math.max(1, ...ratios), ...countsOf(quantity, heldOut), fitted: 0 }
}

/**
 * A p99 moves with every stall, and a few held-out loads see too few of them to say how far: so the interval is what is
 * promised, or wider where eight of ten of the loads that were fitted to scatter further. They outnumber the law's terms
 * by far. Held-out loads have no say in it, and so they can judge it.
 */
export function missOfP99(heldOut: readonly Judged[], known: readonly Judged[]): Miss {
  const counts = countsOf('p99', heldOut)
  if (known.length === 0) return { low: 1, high: 1, ...counts, fitted: 0 }
  const sorted = known.map(ratioOf).sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 1
  const low = Math.min(1 - PROMISED.p99, at(OUTLIERS))
  const high = Math.max(1 + PROMISED.p99, at(1 - OUTLIERS))
  return { low, high, ...counts, fitted: sorted.length }
}

export function ratioOf({ predicted, measured }: Judged): number {
  return measured / predicted
}

export function isKept(quantity: Quantity, judged: Judged): boolean {
  return Math.abs(ratioOf(judged) - 1) <= PROMISED[quantity]
}

function countsOf(quantity: Quantity, heldOut: readonly Judged[]): Pick<Miss, 'heldOut' | 'kept'> {
  return { heldOut: heldOut.length, kept: heldOut.filter((judged) => isKept(quantity, judged)).length }
}
