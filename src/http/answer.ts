import type { Answer } from '../backend/backend.js'

/** Goes on with an answer at once where it is there at once: in-process backends cost no promise. */
export function andThen<A, B>(answer: Answer<A>, next: (value: A) => Answer<B>): Answer<B> {
  return answer instanceof Promise ? answer.then(next) : next(answer)
}
