/** Latencies, to three digits. */
import { build, type Histogram } from 'hdr-histogram-js'
import type { Curve } from '../question.js'

/** Kept in whole microseconds. */
const US_PER_MS = 1_000
const LONGEST_US = 60_000_000

export class Latencies {
  readonly #histogram: Histogram = build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_US,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  })

  readonly record = (ms: number): void => {
    this.#histogram.recordValue(Math.min(LONGEST_US, Math.max(1, Math.round(ms * US_PER_MS))))
  }

  get count(): number {
    return this.#histogram.totalCount
  }

  /** Milliseconds; `share` from 0 to 1. */
  quantile(share: number): number {
    return this.#histogram.getValueAtPercentile(share * 100) / US_PER_MS
  }

  /** Points [ms, share of requests that were answered within it], denser where fewer requests are. */
  curve(): Curve {
    return SHARES.map((share) => [this.quantile(share), share] as const)
  }

  reset(): void {
    this.#histogram.reset()
  }
}

/** Every 1/40, then ever finer towards the slowest of a hundred thousand. */
const SHARES: readonly number[] = [
  ...Array.from({ length: 36 }, (_, i) => (i + 1) / 40),
  ...[1, 2, 3, 4].flatMap((nines) => Array.from({ length: 10 }, (_, i) => 1 - 10 ** -(nines + i / 10))),
  0.99999,
]
