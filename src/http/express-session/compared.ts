import type { Baseline } from './image.js'

/** Is what it is given: a class that extends it gives that object its private fields. */
// oxlint-disable-next-line typescript/no-extraneous-class -- what counts is what its constructor answers
class Itself {
  constructor(object: object) {
    return object
  }
}

/**
 * Objects that carry what their next save is compared with, where nobody sees it. A WeakMap would do the same and cost
 * the garbage collector more, request by request.
 */
export class Compared extends Itself {
  #baseline: Baseline

  private constructor(object: object, baseline: Baseline) {
    super(object)
    this.#baseline = baseline
  }

  static baselineOf(object: object): Baseline | undefined {
    return #baseline in object ? object.#baseline : undefined
  }

  static note(object: object, baseline: Baseline): void {
    if (#baseline in object) object.#baseline = baseline
    else void new Compared(object, baseline)
  }
}
