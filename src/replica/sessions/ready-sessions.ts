import type { Dot } from '../../session/session.js'
import { integers } from './column.js'
import type { SessionState } from './session-state.js'
import { NONE } from './slot-index.js'

/** Twice as many as are in use as a rule: most of those asked for again and again have a place of their own. */
const LATELY = 2_048
/** To copy is the fastest way to make so many places. */
const NOBODY: readonly undefined[] = Array.from({ length: LATELY })

/**
 * Sessions that are objects, by slot; those used lately also by birth. In arrays whose places are used again and again:
 * a map that a thousand sessions pass through is copied every time they did, and what lies in the old space of a copy
 * keeps all of them, and what they hold, until the next full collection.
 */
export class ReadySessions {
  readonly #place = integers()
  readonly #sessions: (SessionState | undefined)[] = []
  readonly #free: number[] = []
  readonly #lately: (SessionState | undefined)[] = NOBODY.slice()

  get size(): number {
    return this.#sessions.length - this.#free.length
  }

  /** For each slot before anything else is asked of it. */
  begin(slot: number): void {
    this.#place.set(slot, NONE)
  }

  at(slot: number): SessionState | undefined {
    const place = this.#place.get(slot)
    return place === NONE ? undefined : this.#sessions[place]
  }

  /** The session of that birth, if it was used lately. */
  lately({ actor, counter }: Dot): SessionState | undefined {
    const session = this.#lately[counter % LATELY]
    const isIt = session !== undefined && session.birth.counter === counter && session.birth.actor === actor
    return isIt && session.isReady ? session : undefined
  }

  noteUse(session: SessionState): void {
    this.#lately[session.birth.counter % LATELY] = session
  }

  add(session: SessionState): void {
    const place = this.#free.pop() ?? this.#sessions.length
    this.#sessions[place] = session
    this.#place.set(session.slot, place)
    this.noteUse(session)
  }

  delete({ slot, birth }: SessionState): void {
    const place = this.#place.get(slot)
    if (place === NONE) return
    this.#place.set(slot, NONE)
    if (this.#lately[birth.counter % LATELY] === this.#sessions[place]) this.#lately[birth.counter % LATELY] = undefined
    this.#sessions[place] = undefined
    this.#free.push(place)
  }
}
