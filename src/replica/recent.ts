import type { Dot } from '../session/session.js'
import type { Context } from './context.js'
import type { ContextEntry } from './events.js'
import { DotMap } from './dot-map.js'

/** Events remembered per actor: what a peer may miss without a walk over all sessions. */
const PER_ACTOR_MAX = 16_384

interface Run {
  /** Counter of the first remembered event. */
  first: number
  /** Births of the sessions, as numbers: so many dots would be objects that the garbage collector has to follow. */
  actors: number[]
  counters: number[]
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
    if (run === undefined || dot.counter !== run.first + run.counters.length) {
      this.#runs.set(dot.actor, { first: dot.counter, actors: [birth.actor], counters: [birth.counter] })
      return
    }
    run.actors.push(birth.actor)
    run.counters.push(birth.counter)
    if (run.counters.length < 2 * PER_ACTOR_MAX) return
    run.actors = run.actors.slice(-PER_ACTOR_MAX)
    run.counters = run.counters.slice(-PER_ACTOR_MAX)
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
      if (extra.length > 0 || run === undefined || run.first > from) return undefined
      if (run.first + run.counters.length <= base) return undefined
      for (let at = from - run.first; at <= base - run.first; at++) {
        const birth = { actor: run.actors[at] as number, counter: run.counters[at] as number }
        touched.set(birth, birth)
      }
    }
    return [...touched.values()]
  }
}
