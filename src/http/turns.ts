import type { Answer } from '../backend/backend.js'

/** One thing at a time: each sees what the one before it did. Costs nothing while answers come at once. */
export class Turns {
  #tail: Promise<void> | undefined

  /** What is in progress, never rejected; undefined when nothing is. */
  get tail(): Promise<void> | undefined {
    return this.#tail
  }

  run<T>(act: () => Answer<T>): Answer<T> {
    const before = this.#tail
    const answer = before === undefined ? act() : before.then(act, act)
    if (!(answer instanceof Promise)) return answer
    const settled = (): void => {
      if (this.#tail === tail) this.#tail = undefined
    }
    const tail: Promise<void> = answer.then(settled, settled)
    this.#tail = tail
    return answer
  }
}
