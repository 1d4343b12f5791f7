import type { Dot } from '../session/session.js'

/** The dots of one actor. */
interface Run<T> {
  readonly actor: number
  readonly byCounter: Map<number, T>
}

/** A map keyed by dots, without a key object or string per entry. Iterates by actor, in order of insertion. */
export class DotMap<T> {
  readonly #runs = new Map<number, Run<T>>()
  /** The one asked for last: dots come in runs of one actor, and a map hashes what does not fit into 32 bits slowly. */
  #last: Run<T> | undefined = undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get(dot: Dot): T | undefined {
    return this.#run(dot.actor)?.byCounter.get(dot.counter)
  }

  has(dot: Dot): boolean {
    return this.#run(dot.actor)?.byCounter.has(dot.counter) === true
  }

  set(dot: Dot, value: T): void {
    const { byCounter } = this.#run(dot.actor) ?? this.#begin(dot.actor)
    const before = byCounter.size
    byCounter.set(dot.counter, value)
    this.#size += byCounter.size - before
  }

  delete(dot: Dot): boolean {
    const run = this.#run(dot.actor)
    if (run === undefined || !run.byCounter.delete(dot.counter)) return false
    this.#size--
    if (run.byCounter.size === 0) {
      this.#runs.delete(dot.actor)
      this.#last = undefined
    }
    return true
  }

  *values(): Generator<T> {
    for (const { byCounter } of this.#runs.values()) yield* byCounter.values()
  }

  #run(actor: number): Run<T> | undefined {
    if (this.#last?.actor === actor) return this.#last
    const run = this.#runs.get(actor)
    if (run !== undefined) this.#last = run
    return run
  }

  #begin(actor: number): Run<T> {
    const run = { actor, byCounter: new Map<number, T>() }
    this.#runs.set(actor, run)
    this.#last = run
    return run
  }
}
