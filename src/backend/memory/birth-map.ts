import type { SessionRef } from '../../session/session.js'

/** A map by birth, without making a string of it for each look-up. */
export class BirthMap<T> {
  readonly #byActor = new Map<number, Map<number, T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(birth: SessionRef): T | undefined {
    return this.#byActor.get(birth.actor)?.get(birth.counter)
  }

  set(birth: SessionRef, value: T): void {
    let byCounter = this.#byActor.get(birth.actor)
    if (byCounter === undefined) this.#byActor.set(birth.actor, (byCounter = new Map<number, T>()))
    const before = byCounter.size
    byCounter.set(birth.counter, value)
    this.#size += byCounter.size - before
  }

  delete(birth: SessionRef): void {
    const byCounter = this.#byActor.get(birth.actor)
    if (byCounter?.delete(birth.counter) !== true) return
    this.#size--
    if (byCounter.size === 0) this.#byActor.delete(birth.actor)
  }

  /** Lives through changes made meanwhile; each value that stays is met once. */
  *values(): Generator<T, undefined> {
    for (const byCounter of this.#byActor.values()) yield* byCounter.values()
    return undefined
  }
}
