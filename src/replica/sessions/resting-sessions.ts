import type { Dot } from '../../session/session.js'
import { Arena } from './arena.js'
import { floats, integers, type Column } from './column.js'
import { packed, PackedSession, type SessionContents } from './packed-session.js'
import { NONE } from './slot-index.js'

/** What changes with an access, and needs nothing else to be known. */
export interface AccessNumbers {
  touchedAt: number
  /** The last access that peers were told of. */
  announcedAt: number
  /** Of all values together. */
  bytes: number
}

/** A session as objects. */
export interface ReadyContents extends SessionContents, AccessNumbers {
  /** Whether it lies packed too, as it is. */
  isPacked: boolean
}

/** Sessions that nobody uses, by slot: bytes in an arena, and numbers in columns. */
export class RestingSessions {
  readonly #touchedAt = floats()
  readonly #announcedAt = floats()
  readonly #bytes = integers()
  readonly #address = integers()
  readonly #copies = new Copies()
  readonly #arena = new Arena((slot, address) => this.#address.set(slot, address))

  /** Memory taken by what is packed. */
  get bytes(): number {
    return this.#arena.bytes
  }

  /** A slot was given to a session, of which nothing lies here yet. */
  begin(slot: number): void {
    this.#address.set(slot, NONE)
  }

  /** Lays a session down. False: it cannot be packed (now), and nothing was done. */
  keep(slot: number, birth: Dot, contents: ReadyContents): boolean {
    if (!contents.isPacked) {
      const bytes = packed(birth, contents)
      if (bytes === undefined) return false
      this.#address.set(slot, this.#arena.add(slot, bytes))
    }
    this.#touchedAt.set(slot, contents.touchedAt)
    this.#announcedAt.set(slot, contents.announcedAt)
    this.#bytes.set(slot, contents.bytes)
    return true
  }

  /** What lies packed of it is no longer what it is. */
  drop(slot: number): void {
    const address = this.#address.get(slot)
    if (address === NONE) return
    this.#address.set(slot, NONE)
    this.#arena.delete(address)
  }

  /** As it lies here: good for a look. */
  packed(slot: number, birth: Dot): PackedSession {
    const address = this.#address.get(slot)
    return new PackedSession(this.#arena.memoryAt(address), this.#arena.offsetAt(address), birth)
  }

  /** As objects, with values in bytes of their own. */
  contents(slot: number, birth: Dot): ReadyContents {
    const address = this.#address.get(slot)
    const offset = this.#arena.offsetAt(address)
    const length = this.#arena.lengthAt(address)
    const at = this.#copies.room(length)
    const { memory } = this.#copies
    memory.set(this.#arena.memoryAt(address).subarray(offset, offset + length), at)
    const { base, highest, ids, removedIds, version, registers } = new PackedSession(memory, at, birth).contents()
    return {
      base,
      highest,
      ids,
      removedIds,
      version,
      registers,
      touchedAt: this.#touchedAt.get(slot),
      announcedAt: this.#announcedAt.get(slot),
      bytes: this.#bytes.get(slot),
      isPacked: true,
    }
  }

  numbers(slot: number): AccessNumbers {
    return new RestingNumbers(slot, this.#touchedAt, this.#announcedAt, this.#bytes)
  }
}

/** As large as Node's pool: what is used longer than its neighbours keeps no more than it would there. */
const COPIES_BYTES = 8 * 1024

/** Memory for bytes that lie side by side: one piece for each session is dearer than what is copied. */
class Copies {
  memory = new Uint8Array(0)
  #used = 0

  /** Where in `memory`, from now on, there is room for so many. */
  room(length: number): number {
    if (this.#used + length > this.memory.length) {
      this.memory = new Uint8Array(COPIES_BYTES)
      this.#used = 0
    }
    this.#used += length
    return this.#used - length
  }
}

/** The numbers of one session, where they lie. */
class RestingNumbers implements AccessNumbers {
  readonly #slot: number
  readonly #touchedAt: Column
  readonly #announcedAt: Column
  readonly #bytes: Column

  constructor(slot: number, touchedAt: Column, announcedAt: Column, bytes: Column) {
    this.#slot = slot
    this.#touchedAt = touchedAt
    this.#announcedAt = announcedAt
    this.#bytes = bytes
  }

  get touchedAt(): number {
    return this.#touchedAt.get(this.#slot)
  }

  set touchedAt(at: number) {
    this.#touchedAt.set(this.#slot, at)
  }

  get announcedAt(): number {
    return this.#announcedAt.get(this.#slot)
  }

  set announcedAt(at: number) {
    this.#announcedAt.set(this.#slot, at)
  }

  get bytes(): number {
    return this.#bytes.get(this.#slot)
  }

  set bytes(bytes: number) {
    this.#bytes.set(this.#slot, bytes)
  }
}
