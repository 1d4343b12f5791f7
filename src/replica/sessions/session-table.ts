import { invariant } from '../../invariant.js'
import type { Dot, IdHash } from '../../session/session.js'
import { HeldBirths } from './held-births.js'
import type { PackedSession } from './packed-session.js'
import { ReadySessions } from './ready-sessions.js'
import { RestingSessions, type AccessNumbers, type ReadyContents } from './resting-sessions.js'
import { SessionState } from './session-state.js'
import type { Shelf } from './shelved-session.js'
import { NONE } from './slot-index.js'
import { WarmSessions } from './warm-sessions.js'

/**
 * All sessions that a replica holds. Those used lately are objects; all others lie outside the heap as bytes and numbers,
 * and nothing that is there for each of them is left for the garbage collector to follow.
 *
 * A `SessionState` is made by whoever asks, so there may be several of one session. At most one of them has its contents
 * ready, the one that is `#ready` here, and all others turn to that one: what is done through one is seen through all.
 * When a session ends, that one takes the contents with it. Any other stands for nothing then, and using it is an error:
 * what must outlive a call is kept as a birth or as a handle, or pinned.
 */
export class SessionTable implements Shelf {
  readonly #births = new HeldBirths()
  readonly #resting = new RestingSessions()
  readonly #ready = new ReadySessions()
  readonly #warm: WarmSessions

  /** `warmMax`: sessions used again that stay ready, beside a sixteenth as many new ones and those that cannot be packed. */
  constructor(warmMax: number) {
    this.#warm = new WarmSessions(warmMax)
  }

  get size(): number {
    return this.#births.size
  }

  /** What this takes: memory of packed sessions, objects, slots. Slots are used again, the others given back. */
  get taken(): { readonly bytes: number; readonly ready: number; readonly slots: number } {
    return { bytes: this.#resting.bytes, ready: this.#ready.size, slots: this.#births.slots }
  }

  has(birth: Dot): boolean {
    return this.#births.find(birth) !== NONE
  }

  get(birth: Dot): SessionState | undefined {
    const lately = this.#ready.lately(birth)
    if (lately !== undefined) return lately
    const slot = this.#births.find(birth)
    if (slot === NONE) return undefined
    const ready = this.#ready.at(slot)
    if (ready === undefined) return this.#view(slot, this.#births.birth(slot))
    this.#ready.noteUse(ready)
    return ready
  }

  /** The session of that handle, unless it has ended. */
  held(handle: number): SessionState | undefined {
    const slot = this.#births.slotOf(handle)
    return slot === NONE ? undefined : this.at(slot)
  }

  /** Of those that have not ended. */
  births(handles: Iterable<number>): readonly Dot[] {
    const slots = Array.from(handles, (handle) => this.#births.slotOf(handle))
    return slots.filter((slot) => slot !== NONE).map((slot) => this.#births.birth(slot))
  }

  at(slot: number): SessionState {
    return this.#ready.at(slot) ?? this.#view(slot, this.#births.birth(slot))
  }

  /** Whether the session in this slot has that id. */
  hasId(slot: number, hash: IdHash): boolean {
    return this.#ready.at(slot)?.hasId(hash) ?? this.#resting.packed(slot, this.#births.birth(slot)).hasId(hash)
  }

  birthAt(slot: number): Dot {
    return this.#births.birth(slot)
  }

  /** A session that was not held begins, with nothing in it. */
  begin(birth: Dot): SessionState {
    const slot = this.#births.add(birth)
    this.#resting.begin(slot)
    this.#ready.begin(slot)
    const session = SessionState.begin(this.#births.birth(slot), slot, this.#births.handle(slot), this)
    this.#ready.add(session)
    this.#warm.begin(session)
    return session
  }

  /** The session has ended. It can still be read. */
  end(session: SessionState): void {
    const { slot } = session
    session.leave()
    this.#resting.drop(slot)
    this.#ready.delete(session)
    this.#births.delete(slot)
  }

  /** By actor, in the order in which they came. Only the last one given may end meanwhile. */
  *values(): Generator<SessionState> {
    for (const slot of this.#births.all()) yield this.at(slot)
  }

  // ── For the sessions ────────────────────────────────────────────────────────────────────────────────────────────

  readyOf({ slot, handle }: SessionState): SessionState | undefined {
    invariant(this.#births.handle(slot) === handle, 'nobody keeps a session that may end meanwhile')
    return this.#ready.at(slot)
  }

  numbersOf({ slot }: SessionState): AccessNumbers {
    return this.#resting.numbers(slot)
  }

  packedOf({ slot, birth }: SessionState): PackedSession {
    return this.#resting.packed(slot, birth)
  }

  contentsOf({ slot, birth }: SessionState): ReadyContents {
    return this.#resting.contents(slot, birth)
  }

  use(session: SessionState): void {
    this.#ready.add(session)
    this.#warm.use(session)
  }

  changed({ slot }: SessionState): void {
    this.#resting.drop(slot)
  }

  rest(session: SessionState, contents: ReadyContents): boolean {
    if (!this.#resting.keep(session.slot, session.birth, contents)) return false
    this.#ready.delete(session)
    return true
  }

  #view(slot: number, birth: Dot): SessionState {
    return new SessionState(birth, slot, this.#births.handle(slot), this)
  }
}
