/** Whether any fault is at work, and since when none is. */
export class Calm {
  readonly #now: () => number
  #active = 0
  #since = 0

  constructor(now: () => number) {
    this.#now = now
  }

  get isCalm(): boolean {
    return this.#active === 0
  }

  /** The moment from which no fault was at work; Infinity while one is. */
  get since(): number {
    return this.#active === 0 ? this.#since : Infinity
  }

  faultBegins(): void {
    this.#active++
  }

  faultEnds(): void {
    this.#active--
    this.#since = this.#now()
  }
}
