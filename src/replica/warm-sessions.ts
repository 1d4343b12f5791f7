/** Bytes as a text of one character for each, and back: only a runtime does that fast. */
export interface Packing {
  toText(bytes: Uint8Array): string
  /** Bytes that nobody else has. */
  toBytes(text: string): Uint8Array
}

/** A session that can take less memory while nobody uses it. */
export interface Packable {
  pack(): void
}

/**
 * The sessions used lately, as ready objects. All others are packed: each that is used again takes the place of the one
 * that was unpacked the longest time ago, so a request costs the same whatever the number of sessions.
 */
export class WarmSessions {
  readonly packing: Packing
  readonly #max: number
  readonly #sessions: Packable[] = []
  #oldest = 0

  /** `max`: at least 2, because of the session in use the other one may be packed. */
  constructor(packing: Packing, max: number) {
    this.packing = packing
    this.#max = max
  }

  /** Notes a session that is not packed (any more). */
  add(session: Packable): void {
    const oldest = this.#sessions[this.#oldest]
    this.#sessions[this.#oldest] = session
    this.#oldest = (this.#oldest + 1) % this.#max
    oldest?.pack()
  }
}
