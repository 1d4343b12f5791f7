import type { Dot } from '../session/session.js'
import type { Context } from './context.js'
import type { ContextEntry } from './events.js'
import { DotMap } from './dot-map.js'

/** Events remembered per actor: what a peer may miss without a walk over all sessions. */
const PER_ACTOR_MAX = 16_384

interface Run {
  /** Counter of the first remembered event. */
  first: number
  births: Dot[]
}

/**
 * Which sessions the last events of each actor touched. A peer that lacks only these is answered by looking at those
 * sessions, not at all.
 */
export class Recent {
  readonly #runs = new Map<number, Run>()

  /** Notes that an event touched a session; events of one actor come in order. */
  note(dot: Dot, birth: Dot): void {
    const run = this.#runs.get(dot.actor)
    if (run === undefined || dot.counter !== run.first + run.births.length) {
      this.#runs.set(dot.actor, { first: dot.counter, births: [birth] })
      return
    }
    run.births.push(birth)
    if (run.births.length < 2 * PER_ACTOR_MAX) return
    run.births = run.births.slice(-PER_ACTOR_MAX)
    run.first = dot.counter - PER_ACTOR_MAX + 1
  }

  /** The sessions touched by any event in `has` and not in `lacks`; undefined where that is not remembered. */
  touchedSince(lacks: Context, has: readonly ContextEntry[]): readonly Dot[] | undefined {
    const touched = new DotMap<Dot>()
    for (const entry of has) {
      if (lacks.coversEntry(entry)) continue
      const { actor, base, extra } = entry
      const run = this.#runs.get(actor)
      const from = lacks.base(actor) + 1
      if (extra.length > 0 || run === undefined || run.first > from || run.first + run.births.length <= base) return undefined
      for (let at = from - run.first; at <= base - run.first; at++) {
        const birth = run.births[at] as Dot
        touched.set(birth, birth)
      }
    }
    return [...touched.values()]
  }
}
