import { DotMap } from '../replica/dot-map.js'
import type { ContextEntry, Event } from '../replica/events.js'
import type { Replica } from '../replica/replica.js'
import type { Dot } from '../session/session.js'

/**
 * What one step of one replica touched, seen from outside: the events its context newly claims, the sessions it
 * changed. It wraps the doors of the replica's state, so that checkers look at what moved instead of at everything.
 */
export class Observation {
  /** Events that the context claims since the last `clear`. */
  readonly claimed: Dot[] = []
  /** Sessions that were merged, changed, buried or forgotten since the last `clear`. */
  readonly touched: Dot[] = []
  /** Events this replica made itself since the last `clear`. */
  readonly made: Event[] = []
  /** Sessions that were alive here and are not any more, or were known to be dead before they were ever held. */
  readonly dead = new DotMap<true>()
  /** A session that came back to life since the last `clear`. */
  revived: Dot | undefined = undefined

  constructor(replica: Replica, actor: number) {
    this.#watchEvents(replica, actor)
    this.#watchContext(replica)
    this.#watchSessions(replica)
  }

  clear(): void {
    // Most steps touch nothing.
    if (this.claimed.length > 0) this.claimed.length = 0
    if (this.touched.length > 0) this.touched.length = 0
    if (this.made.length > 0) this.made.length = 0
    this.revived = undefined
  }

  get isEmpty(): boolean {
    return this.touched.length === 0 && this.claimed.length === 0
  }

  #watchEvents({ state }: Replica, actor: number): void {
    const apply = state.apply.bind(state)
    state.apply = (event, now) => {
      if (event.dot.actor === actor) this.made.push(event)
      if (event.type !== 'revoke') this.touched.push(event.birth)
      return apply(event, now)
    }
    const merge = state.merge.bind(state)
    state.merge = (fragment, now) => {
      this.touched.push(fragment.birth)
      return merge(fragment, now)
    }
  }

  #watchContext({ state: { context } }: Replica): void {
    const add = context.add.bind(context)
    context.add = (dot) => {
      if (!context.has(dot)) this.claimed.push(dot)
      add(dot)
    }
    const join = context.join.bind(context)
    context.join = (entries) => {
      for (const entry of entries) this.#claim(entry, context.base(entry.actor), (dot) => context.has(dot))
      join(entries)
    }
  }

  #claim({ actor, base, extra }: ContextEntry, from: number, has: (dot: Dot) => boolean): void {
    for (let counter = from + 1; counter <= base; counter++) {
      const dot = { actor, counter }
      if (!has(dot)) this.claimed.push(dot)
    }
    for (const counter of extra) {
      const dot = { actor, counter }
      if (!has(dot)) this.claimed.push(dot)
    }
  }

  #watchSessions({ state: { live, kills } }: Replica): void {
    const begin = live.begin.bind(live)
    live.begin = (birth) => {
      if (this.dead.has(birth)) this.revived = birth
      return begin(birth)
    }
    const end = live.end.bind(live)
    live.end = (session) => {
      this.#bury(session.birth)
      end(session)
    }
    const record = kills.set.bind(kills)
    kills.set = (birth, kill) => {
      this.#bury(birth)
      record(birth, kill)
    }
    const forget = kills.delete.bind(kills)
    kills.delete = (birth) => {
      this.touched.push(birth)
      return forget(birth)
    }
  }

  #bury(birth: Dot): void {
    this.touched.push(birth)
    this.dead.set(birth, true)
  }
}
