import type { Dot, IdHash } from '../../session/session.js'
import { textHash } from './hash.js'
import type { SessionState } from './session-state.js'
import type { SessionTable } from './session-table.js'
import { NONE, SlotIndex } from './slot-index.js'

/** Why an id names nothing any more. */
export type Former = 'rotated' | 'gone'

interface Note {
  readonly why: Former
  readonly at: number
}

/** Ids that named a session until lately, told apart from ids that never did. */
const FORMER_MAX = 100_000
/** Places for sessions in use that are found without looking into their slots. */
const FOUND_MAX = 2_048
/** To copy is the fastest way to make so many places. */
const NOTHING: readonly undefined[] = Array.from({ length: FOUND_MAX })

/**
 * Which session an id names, and for a while why one names none. Ids of our own are never used twice; those that others
 * make can be, even on two nodes at once: then every node takes the session with the smallest birth, and the other one
 * when that has ended, so nodes that hold the same sessions agree.
 */
export class IdTable {
  readonly #sessions: SessionTable
  readonly #seed: number
  readonly #slots: SlotIndex<IdHash>
  /** What was found lately, of sessions that are ready. */
  readonly #found: (SessionState | undefined)[] = NOTHING.slice()
  readonly #foundBy: (IdHash | undefined)[] = NOTHING.slice()
  /** Slots of everybody who holds an id that more than one session holds. */
  readonly #contested = new Map<IdHash, Set<number>>()
  readonly #former = new Map<IdHash, Note>()

  /** `seed`: ids can be chosen by whoever makes them. */
  constructor(sessions: SessionTable, seed: number) {
    this.#sessions = sessions
    this.#seed = seed
    this.#slots = new SlotIndex((slot, hash) => sessions.hasId(slot, hash))
  }

  get(hash: IdHash): SessionState | undefined {
    const place = placeOf(hash)
    const found = this.#found[place]
    if (found?.isReady === true && this.#foundBy[place] === hash) return found
    const slot = this.#find(hash)
    if (slot === NONE) return undefined
    const session = this.#sessions.at(slot)
    if (session.isReady) {
      this.#found[place] = session
      this.#foundBy[place] = hash
    }
    return session
  }

  /** Whether more than one session holds an id, or did until lately. */
  get hasContested(): boolean {
    return this.#contested.size > 0
  }

  /** Sessions that hold an id which names another one, each after that one. */
  *waiting(): Generator<readonly [first: SessionState, waits: SessionState]> {
    for (const [hash, holders] of this.#contested) {
      const first = this.#find(hash)
      for (const holder of holders) {
        if (first !== NONE && holder !== first) yield [this.#sessions.at(first), this.#sessions.at(holder)]
      }
    }
  }

  /** Why an id names nothing, within the grace time. */
  former(hash: IdHash): Former | undefined {
    return this.#former.get(hash)?.why
  }

  link(hash: IdHash, { slot }: SessionState): void {
    this.#former.delete(hash)
    this.#forgetFound(hash)
    const holder = this.#find(hash)
    if (holder === slot) return
    if (holder === NONE) return this.#slots.add(textHash(hash, this.#seed), slot)
    const holders = this.#contested.get(hash) ?? new Set([holder])
    this.#contested.set(hash, holders.add(slot))
    if (!this.#isBefore(holder, slot)) this.#slots.replace(textHash(hash, this.#seed), holder, slot)
  }

  /** The session may hold the id no longer: it is not looked at. */
  unlink(hash: IdHash, { slot }: SessionState, why: Former, now: number): void {
    this.#forgetFound(hash)
    const next = this.#withdraw(hash, slot)
    if (next === NONE) this.#slots.delete(textHash(hash, this.#seed), slot)
    else this.#slots.replace(textHash(hash, this.#seed), slot, next)
    this.note(hash, why, now)
  }

  /** Notes that a session which held this id has ended, though it was never held here. */
  note(hash: IdHash, why: Former, now: number): void {
    if (this.#find(hash) !== NONE) return
    this.#former.delete(hash)
    this.#former.set(hash, { why, at: now })
  }

  /** Forgets why ids name nothing that were dropped before `before`: from then on they are simply unknown. */
  forget(before: number): void {
    for (const [hash, { at }] of this.#former) {
      if (at >= before && this.#former.size <= FORMER_MAX) break
      this.#former.delete(hash)
    }
  }

  /** Takes a session from among the holders of a contested id; answers who is the first of the others. */
  #withdraw(hash: IdHash, slot: number): number {
    const holders = this.#contested.get(hash)
    if (holders === undefined) return NONE
    holders.delete(slot)
    if (holders.size < 2) this.#contested.delete(hash)
    let first = NONE
    for (const holder of holders) if (first === NONE || this.#isBefore(holder, first)) first = holder
    return first
  }

  #find(hash: IdHash): number {
    return this.#slots.find(textHash(hash, this.#seed), hash)
  }

  #forgetFound(hash: IdHash): void {
    this.#found[placeOf(hash)] = undefined
  }

  #isBefore(one: number, other: number): boolean {
    return isBefore(this.#sessions.birthAt(one), this.#sessions.birthAt(other))
  }
}

/** By the last characters, each as good as random: whoever sees to it that they agree loses but a short cut. */
function placeOf(hash: IdHash): number {
  const { length } = hash
  const bits = hash.charCodeAt(length - 1) + 67 * hash.charCodeAt(length - 2) + 4_099 * hash.charCodeAt(length - 3)
  return (bits | 0) % FOUND_MAX
}

function isBefore(a: Dot, b: Dot): boolean {
  return a.actor < b.actor || (a.actor === b.actor && a.counter < b.counter)
}
