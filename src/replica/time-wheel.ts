/** A clock that goes back by more buckets was set back. */
const SET_BACK_BUCKETS = 10

/** Things due at a time, in buckets: adding is O(1), and taking costs what is taken. */
export class TimeWheel<T> {
  readonly #granularityMs: number
  readonly #buckets = new Map<number, T[]>()
  #from: number | undefined = undefined
  #size = 0

  constructor(granularityMs: number) {
    this.#granularityMs = granularityMs
  }

  get size(): number {
    return this.#size
  }

  /** `at`: milliseconds; Infinity is never due and not kept. */
  add(item: T, at: number): void {
    if (at === Infinity) return
    const slot = Math.max(Math.ceil(at / this.#granularityMs), this.#from ?? -Infinity)
    const bucket = this.#buckets.get(slot)
    if (bucket === undefined) this.#buckets.set(slot, [item])
    else bucket.push(item)
    this.#size++
  }

  /** Takes out everything that is due at `now`. */
  take(now: number): readonly T[] {
    const last = Math.floor(now / this.#granularityMs)
    const first = this.#from ?? -Infinity
    this.#from = last + 1
    if (this.#size === 0) return []
    const due: T[] = []
    if (last + 1 < first - SET_BACK_BUCKETS) {
      // The times given to items mean nothing any more: whoever takes them looks at each again.
      return this.takeAll()
    }
    if (last < first) return []
    // After a long gap walking the buckets that exist is shorter than walking the time.
    if (last - first > this.#buckets.size) {
      for (const slot of [...this.#buckets.keys()].sort((a, b) => a - b)) if (slot <= last) this.#empty(slot, due)
    } else {
      for (let slot = first; slot <= last; slot++) this.#empty(slot, due)
    }
    return due
  }

  /** Takes out everything, by the times given. */
  takeAll(): readonly T[] {
    const all: T[] = []
    for (const slot of [...this.#buckets.keys()].sort((a, b) => a - b)) this.#empty(slot, all)
    return all
  }

  #empty(slot: number, into: T[]): void {
    const bucket = this.#buckets.get(slot)
    if (bucket === undefined) return
    this.#buckets.delete(slot)
    this.#size -= bucket.length
    for (const item of bucket) into.push(item)
  }
}
