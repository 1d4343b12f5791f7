import { expiresAt, type SessionRecord, type SessionRef } from '../../session/session.js'
import type { BindableSocket } from './bindable-socket.js'

/** One connection among those of its session. */
export interface Seat {
  readonly socket: BindableSocket
}

/** All sockets of one session on this node, and what they know of its life together. */
export class SocketGroup {
  readonly ref: SessionRef
  readonly seats = new Set<Seat>()
  /** Idle lifetime by the last look, milliseconds. */
  #maxIdleMs = Infinity
  /** When the session ends unless somebody uses it, by what is known here. */
  expiresAt = Infinity
  /** When it ends however much it is used. */
  #endsBy = Infinity
  /** When to look again whether the session lives. */
  lookAt = 0
  /** A look is under way. */
  looking = false
  /** Its time is over by what is known here; a word of somebody who used it may be on its way. */
  overdue = false
  /** The last access that the backend was told of, and the last one there was. */
  notedAt: number
  usedAt: number

  constructor(ref: SessionRef, notedAt: number) {
    this.ref = ref
    this.notedAt = notedAt
    this.usedAt = notedAt
  }

  /** Takes in what a look has found. */
  learn(record: SessionRecord): void {
    this.#maxIdleMs = record.maxIdleMs
    this.#endsBy = record.createdAt + record.maxLifeMs
    this.notedAt = Math.max(this.notedAt, record.lastAccessedAt)
    this.expiresAt = expiresAt(record)
    this.overdue = false
  }

  /** Whether there is an access to tell of, and the last one told is old enough. */
  owesTouch(now: number, touchAfterMs: number): boolean {
    // A session with a short lifetime of its own is told of more often, or it would end in use.
    return this.usedAt > this.notedAt && now - this.notedAt >= Math.min(touchAfterMs, this.#maxIdleMs / 4)
  }

  /** The backend was told of the last access. */
  noted(): void {
    this.notedAt = this.usedAt
    this.expiresAt = Math.max(this.expiresAt, Math.min(this.usedAt + this.#maxIdleMs, this.#endsBy))
  }
}
