import type { SessionRef } from '../../session/session.js'
import { birthText } from '../births.js'
import { BoundedMap } from '../memory/bounded-map.js'

const ENDED_MAX = 100_000

/** Sessions that are known here to be over: what is still on its way from the far backend does not bring them back. */
export class EndedRefs {
  readonly #ended = new BoundedMap<string, true>(ENDED_MAX)

  add(ref: SessionRef): void {
    this.#ended.set(birthText(ref), true)
  }

  has(ref: SessionRef): boolean {
    return this.#ended.get(birthText(ref)) === true
  }
}
