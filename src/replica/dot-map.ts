import type { Dot } from '../session/session.js'

/** A map keyed by dots, without a key object or string per entry. Iterates by actor, in order of insertion. */
export class DotMap<T> {
  readonly #actors = new Map<number, Map<number, T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(dot: Dot): T | undefined {
    return this.#actors.get(dot.actor)?.get(dot.counter)
  }

  has(dot: Dot): boolean {
    return this.#actors.get(dot.actor)?.has(dot.counter) === true
  }

  set(dot: Dot, value: T): void {
    let counters = this.#actors.get(dot.actor)
    if (counters === undefined) this.#actors.set(dot.actor, (counters = new Map()))
    const before = counters.size
    counters.set(dot.counter, value)
    this.#size += counters.size - before
  }

  delete(dot: Dot): boolean {
    const counters = this.#actors.get(dot.actor)
    if (counters === undefined || !counters.delete(dot.counter)) return false
    this.#size--
    if (counters.size === 0) this.#actors.delete(dot.actor)
    return true
  }

  *values(): Generator<T> {
    for (const counters of this.#actors.values()) yield* counters.values()
  }
}
