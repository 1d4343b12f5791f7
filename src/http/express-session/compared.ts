import type { Baseline } from './image.js'

/**
 * An object that carries what its next save is compared with, where nobody else sees it. A WeakMap would do the same for
 * objects of any class, and costs the garbage collector more.
 */
export class Compared {
  #baseline: Baseline | undefined

  static baselineOf(object: object): Baseline | undefined {
    return #baseline in object ? object.#baseline : undefined
  }

  /** Whether the object can carry it. */
  static note(object: object, baseline: Baseline): boolean {
    if (!(#baseline in object)) return false
    object.#baseline = baseline
    return true
  }
}
