/** A map that holds at most so many entries: the one set longest ago is forgotten first. */
export class BoundedMap<K, V> {
  readonly #max: number
  readonly #entries = new Map<K, V>()

  constructor(max: number) {
    this.#max = max
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#max) this.#forgetOldest()
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }

  /** The oldest first. */
  keys(): Iterable<K> {
    return this.#entries.keys()
  }

  /** The oldest first. */
  values(): Iterable<V> {
    return this.#entries.values()
  }

  /** Forgets entries from the oldest on while `isOver` says so. */
  forgetWhile(isOver: (value: V) => boolean): void {
    for (const [key, value] of this.#entries) {
      if (!isOver(value)) return
      this.#entries.delete(key)
    }
  }

  #forgetOldest(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key)
      return
    }
  }
}
