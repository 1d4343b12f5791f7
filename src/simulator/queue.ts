interface Entry {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** Everything that is still to happen, by time and then in the order it was planned: a binary heap. */
export class EventQueue {
  readonly #heap: Entry[] = []
  #order = 0
  #now = 0

  /** Virtual milliseconds since the start of the simulation. */
  get now(): number {
    return this.#now
  }

  get size(): number {
    return this.#heap.length
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.#now + delayMs, run)
  }

  at(time: number, run: () => void): void {
    const heap = this.#heap
    const entry = { at: Math.max(time, this.#now), order: this.#order++, run }
    let at = heap.length
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = heap[up] as Entry
      if (!isBefore(entry, parent)) break
      heap[at] = parent
      at = up
    }
    heap[at] = entry
  }

  /** Lets everything happen up to `time`, that moment included. */
  runUntil(time: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= time; next = this.#heap[0]) {
      this.#removeFirst()
      this.#now = next.at
      next.run()
    }
    this.#now = time
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop() as Entry
    if (heap.length === 0) return
    const { length } = heap
    let at = 0
    for (let child = 1; child < length; child = 2 * at + 1) {
      let next = heap[child] as Entry
      const right = child + 1 < length ? (heap[child + 1] as Entry) : undefined
      if (right !== undefined && isBefore(right, next)) {
        next = right
        child++
      }
      if (!isBefore(next, last)) break
      heap[at] = next
      at = child
    }
    heap[at] = last
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
