import type { Dot } from '../../session/session.js'

/** When something was written, and by which event. */
export interface Written {
  readonly hlc: number
  readonly dot: Dot
}

/** The total order of writes: hybrid time, then actor; 0 only for the same event. */
export function compareWritten(a: Written, b: Written): number {
  return a.hlc - b.hlc || a.dot.actor - b.dot.actor
}
