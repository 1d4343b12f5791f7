import type { Cost } from './cost.js'

/** From how many nodes on the one is cheaper than the other. Undefined: not up to `upTo`. */
export interface Crossing {
  readonly upTo: number
  readonly nodes: number | undefined
  /** If predictions are as wrong as they were elsewhere, in its favour and against it. */
  readonly earliest: number | undefined
  readonly latest: number | undefined
}

/** The first number of nodes at which `challenger` is cheaper than `holder`. */
export function crossingOf(
  holder: (nodes: number) => Cost | undefined,
  challenger: (nodes: number) => Cost | undefined,
  upTo: number,
): Crossing {
  const first = (isCheaper: (ours: Cost, theirs: Cost) => boolean): number | undefined => {
    for (let nodes = 1; nodes <= upTo; nodes++) {
      const [theirs, ours] = [holder(nodes), challenger(nodes)]
      if (theirs !== undefined && ours !== undefined && isCheaper(ours, theirs)) return nodes
    }
    return undefined
  }
  return {
    upTo,
    nodes: first((ours, theirs) => ours.value < theirs.value),
    earliest: first((ours, theirs) => ours.low < theirs.high),
    latest: first((ours, theirs) => ours.high < theirs.low),
  }
}
