import { integers } from './column.js'
import { textHash } from './hash.js'
import type { SessionTable } from './session-table.js'
import { NONE, SlotIndex } from './slot-index.js'

/**
 * The sessions of each principal, in the order in which they became its own: a chain through their slots, of which the
 * first is found by the hash of the principal. The text itself is nowhere but in the sessions.
 */
export class PrincipalTable {
  readonly #seed: number
  readonly #firsts: SlotIndex<string>
  readonly #next = integers()
  /** Of the first one, the last. */
  readonly #before = integers()

  /** `seed`: principals are chosen by whoever signs up. */
  constructor(sessions: SessionTable, seed: number) {
    this.#seed = seed
    this.#firsts = new SlotIndex((slot, principal) => sessions.at(slot).isOf(principal))
  }

  *of(principal: string): Generator<number> {
    let slot = this.#first(principal)
    while (slot !== NONE) {
      yield slot
      slot = this.#next.get(slot)
    }
  }

  link(principal: string, slot: number): void {
    const first = this.#first(principal)
    this.#next.set(slot, NONE)
    if (first === NONE) {
      this.#before.set(slot, slot)
      this.#firsts.add(textHash(principal, this.#seed), slot)
      return
    }
    const last = this.#before.get(first)
    this.#next.set(last, slot)
    this.#before.set(slot, last)
    this.#before.set(first, slot)
  }

  /** The session may have another principal by now: it is not looked at. */
  unlink(principal: string, slot: number): void {
    const [before, next] = [this.#before.get(slot), this.#next.get(slot)]
    const isFirst = this.#next.get(before) !== slot
    if (!isFirst) {
      this.#next.set(before, next)
      this.#before.set(next === NONE ? this.#first(principal) : next, before)
    } else if (next === NONE) {
      this.#firsts.delete(textHash(principal, this.#seed), slot)
    } else {
      this.#firsts.replace(textHash(principal, this.#seed), slot, next)
      this.#before.set(next, before)
    }
  }

  #first(principal: string): number {
    return this.#firsts.find(textHash(principal, this.#seed), principal)
  }
}
