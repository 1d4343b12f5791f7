import type { Epoch, MaxChange, MaxState } from '../../session/merged.js'
import type { Dot } from '../../session/session.js'

/** The greatest number that anybody wrote. */
export function newMax(epoch: Epoch): MaxState {
  return { type: 'max', epoch, top: null }
}

/** A change as a state, to be joined. */
export function maxAfter({ epoch, value }: MaxChange, dot: Dot): MaxState {
  return { type: 'max', epoch, top: { dot, value } }
}

/** Both of one epoch. Answers `a` itself when `b` is not greater; of equal values, one author is as good as the other. */
export function joinMax(a: MaxState, b: MaxState): MaxState {
  if (b.top === null) return a
  if (a.top === null) return b
  const { dot, value } = b.top
  const order = value - a.top.value || dot.actor - a.top.dot.actor || dot.counter - a.top.dot.counter
  return order > 0 ? b : a
}

export function dotsOfMax({ top }: MaxState): readonly Dot[] {
  return top === null ? [] : [top.dot]
}
