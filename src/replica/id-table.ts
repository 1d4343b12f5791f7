import type { Dot, IdHash } from '../session/session.js'
import type { SessionState } from './session-state.js'

/** Why an id names nothing any more. */
export type Former = 'rotated' | 'gone'

interface Note {
  readonly why: Former
  readonly at: number
}

/** Ids that named a session until lately, told apart from ids that never did. */
const FORMER_MAX = 100_000

/**
 * Which session an id names, and for a while why one names none. Ids of our own are never used twice; those that others
 * make can be, even on two nodes at once: then every node takes the session with the smallest birth, and the other one
 * when that has ended, so nodes that hold the same sessions agree.
 */
export class IdTable {
  readonly #sessions = new Map<IdHash, SessionState>()
  /** Everybody who holds an id that more than one session holds. */
  readonly #contested = new Map<IdHash, Set<SessionState>>()
  readonly #former = new Map<IdHash, Note>()

  get(hash: IdHash): SessionState | undefined {
    return this.#sessions.get(hash)
  }

  /** Sessions that hold an id which names another one, each after that one. */
  *waiting(): Generator<readonly [first: SessionState, waits: SessionState]> {
    for (const [hash, holders] of this.#contested) {
      const first = this.#sessions.get(hash)
      for (const holder of holders) if (first !== undefined && holder !== first) yield [first, holder]
    }
  }

  /** Why an id names nothing, within the grace time. */
  former(hash: IdHash): Former | undefined {
    return this.#former.get(hash)?.why
  }

  link(hash: IdHash, session: SessionState): void {
    this.#former.delete(hash)
    const holder = this.#sessions.get(hash)
    if (holder !== undefined && holder !== session) {
      const holders = this.#contested.get(hash) ?? new Set([holder])
      this.#contested.set(hash, holders.add(session))
      if (isBefore(holder.birth, session.birth)) return
    }
    this.#sessions.set(hash, session)
  }

  unlink(hash: IdHash, session: SessionState, why: Former, now: number): void {
    const next = this.#withdraw(hash, session)
    if (next !== undefined) this.#sessions.set(hash, next)
    else if (this.#sessions.get(hash) === session) this.#sessions.delete(hash)
    this.note(hash, why, now)
  }

  /** Notes that a session which held this id has ended, though it was never held here. */
  note(hash: IdHash, why: Former, now: number): void {
    if (this.#sessions.has(hash)) return
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

  /** Takes a session from among the holders of a contested id; answers who holds it now. */
  #withdraw(hash: IdHash, session: SessionState): SessionState | undefined {
    const holders = this.#contested.get(hash)
    if (holders === undefined) return undefined
    holders.delete(session)
    if (holders.size < 2) this.#contested.delete(hash)
    let first: SessionState | undefined
    for (const holder of holders) if (first === undefined || isBefore(holder.birth, first.birth)) first = holder
    return first
  }
}

function isBefore(a: Dot, b: Dot): boolean {
  return a.actor < b.actor || (a.actor === b.actor && a.counter < b.counter)
}
