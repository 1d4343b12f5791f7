import type { IdHash } from '../../session/session.js'
import { BoundedMap } from './bounded-map.js'

/** How long an id that was replaced, or whose session ended, is told apart from one that never was. */
const FORMER_MS = 30_000
const FORMER_MAX = 100_000

interface Former {
  readonly why: 'rotated' | 'gone'
  readonly until: number
}

/** Which value each valid id names, and for a while why an id no longer names one. */
export class IdIndex<T> {
  readonly #valid = new Map<IdHash, T>()
  readonly #former = new BoundedMap<IdHash, Former>(FORMER_MAX)

  get(hash: IdHash): T | undefined {
    return this.#valid.get(hash)
  }

  set(hash: IdHash, value: T): void {
    this.#valid.set(hash, value)
  }

  drop(hash: IdHash, why: Former['why'], now: number): void {
    if (!this.#valid.delete(hash)) return
    this.#former.set(hash, { why, until: now + FORMER_MS })
  }

  /** Why an id names nothing, as far as that is remembered. */
  whyNot(hash: IdHash, now: number): Former['why'] | 'unknown' {
    const former = this.#former.get(hash)
    return former !== undefined && former.until > now ? former.why : 'unknown'
  }

  /** Forgets what needs no telling apart any more. */
  forget(now: number): void {
    this.#former.forgetWhile(({ until }) => until <= now)
  }
}
