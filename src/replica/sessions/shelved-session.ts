import { invariant } from '../../invariant.js'
import type { Dot } from '../../session/session.js'
import type { PackedSession } from './packed-session.js'
import type { AccessNumbers, ReadyContents } from './resting-sessions.js'
import type { Packable } from './warm-sessions.js'

/** Where sessions are held: what one has to ask that has nothing ready itself. */
export interface Shelf {
  /** Whoever has its contents ready, if anybody. */
  readyOf(session: ShelvedSession): ShelvedSession | undefined
  /** Of one that nobody has ready, as are the following. */
  numbersOf(session: ShelvedSession): AccessNumbers
  packedOf(session: ShelvedSession): PackedSession
  contentsOf(session: ShelvedSession): ReadyContents
  /** From now on it has its contents ready. */
  use(session: ShelvedSession): void
  /** What is packed of it is no longer what it is. */
  changed(session: ShelvedSession): void
  /** Packs the contents: from now on nobody has them ready. False: they cannot be packed. */
  rest(session: ShelvedSession, contents: ReadyContents): boolean
}

/**
 * A way to look at one session wherever its contents are: here, ready to be read and changed; with another object that
 * looks at the same one; or packed. Alone, without a shelf, it has them here.
 */
export abstract class ShelvedSession implements Packable {
  readonly birth: Dot
  /** In the tables of who holds it, as long as it is held. */
  readonly slot: number
  /** Names it among all sessions that were ever held here. */
  readonly handle: number
  #shelf: Shelf | undefined
  #held: ReadyContents | undefined = undefined
  #pins = 0
  /** Its time to be packed came, and it could not be. */
  #isOverdue = false

  constructor(birth: Dot, slot: number, handle: number, shelf: Shelf | undefined) {
    this.birth = birth
    this.slot = slot
    this.handle = handle
    this.#shelf = shelf
  }

  get touchedAt(): number {
    return this.numbers.touchedAt
  }

  set touchedAt(at: number) {
    this.numbers.touchedAt = at
  }

  /** The last access that peers were told of. */
  get announcedAt(): number {
    return this.numbers.announcedAt
  }

  set announcedAt(at: number) {
    this.numbers.announcedAt = at
  }

  /** Of all values together. */
  get bytes(): number {
    return this.numbers.bytes
  }

  /** Whether its contents are here: of all that look at one session that is held, at most one's are. */
  get isReady(): boolean {
    return this.#held !== undefined
  }

  /** Packs what is not in use; what cannot be packed stays as it is. */
  pack(): void {
    if (this.#held === undefined || this.#shelf === undefined) return
    this.#isOverdue = this.#pins > 0 || !this.#shelf.rest(this, this.#held)
    if (!this.#isOverdue) this.#held = undefined
  }

  /** Until it is unpinned, it stays ready, and can be read here also when the session ends. */
  pin(): void {
    invariant(this.#held !== undefined, 'who was just changed is ready')
    this.#pins++
  }

  unpin(): void {
    this.#pins--
    if (this.#pins === 0 && this.#isOverdue) this.pack()
  }

  /** It is held no longer; its contents stay here. */
  leave(): void {
    this.#held = this.seen()
    this.#shelf = undefined
  }

  /** Where they are ready, here or with another one. */
  protected get ready(): ReadyContents | undefined {
    return this.#held ?? this.#elsewhere()
  }

  protected get packed(): PackedSession {
    return this.#home.packedOf(this)
  }

  /** For use: from now on the session is among those that are not packed. */
  protected get contents(): ReadyContents {
    return this.#held ?? this.#fetched()
  }

  protected get numbers(): AccessNumbers {
    return this.#held ?? this.#elsewhere() ?? this.#home.numbersOf(this)
  }

  get #home(): Shelf {
    invariant(this.#shelf !== undefined, 'who stands alone has its contents ready')
    return this.#shelf
  }

  #elsewhere(): ReadyContents | undefined {
    const other = this.#home.readyOf(this)
    return other === undefined ? undefined : other.#held
  }

  #fetched(): ReadyContents {
    const elsewhere = this.#elsewhere()
    if (elsewhere !== undefined) return elsewhere
    const contents = this.#home.contentsOf(this)
    this.#held = contents
    this.#home.use(this)
    return contents
  }

  /** For one look: what is packed stays packed. */
  protected seen(): ReadyContents {
    return this.ready ?? this.#home.contentsOf(this)
  }

  /** For a change: what lies packed is given up. */
  protected changing(): ReadyContents {
    const contents = this.contents
    if (contents.isPacked) {
      contents.isPacked = false
      this.#shelf?.changed(this)
    }
    if (this.#isOverdue) {
      this.#isOverdue = false
      this.#shelf?.use(this)
    }
    return contents
  }

  /** With nothing in it yet. */
  protected start(): void {
    this.#held = {
      base: undefined,
      highest: 0,
      ids: [],
      removedIds: [],
      version: [],
      registers: [],
      touchedAt: 0,
      announcedAt: 0,
      bytes: 0,
      isPacked: false,
    }
  }
}
