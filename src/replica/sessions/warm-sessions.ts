/** A session that can take less memory while nobody uses it. */
export interface Packable {
  pack(): void
}

/** A new session has so much less room than one that is used again. */
const NEW_PART = 1 / 16

/**
 * The sessions used lately, as ready objects. All others are packed: each that is used again takes the place of the one
 * that was unpacked the longest time ago, so a request costs the same whatever the number of sessions.
 *
 * New sessions wait in a short queue of their own (as in 2Q; Johnson, Shasha 1994). Most are not used again soon, or on
 * another node: a million that come when a node joins drive nothing out, and their objects do not live long enough to
 * leave holes in the old generation.
 */
export class WarmSessions {
  readonly #new: Ring
  readonly #used: Ring

  /** `max`: sessions used again; there is room for a sixteenth as many new ones beside them. */
  constructor(max: number) {
    this.#new = new Ring(Math.ceil(max * NEW_PART))
    this.#used = new Ring(max)
  }

  /** Notes a session that is new here. */
  begin(session: Packable): void {
    this.#new.add(session)
  }

  /** Notes a session that was packed and no longer is. */
  use(session: Packable): void {
    this.#used.add(session)
  }
}

/** The last so many sessions; what falls out is packed. */
class Ring {
  readonly #max: number
  readonly #sessions: Packable[] = []
  #oldest = 0

  constructor(max: number) {
    this.#max = max
  }

  add(session: Packable): void {
    const oldest = this.#sessions[this.#oldest]
    this.#sessions[this.#oldest] = session
    this.#oldest = (this.#oldest + 1) % this.#max
    oldest?.pack()
  }
}
