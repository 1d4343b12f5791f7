import type { SessionRef } from '../session/session.js'
import type { SocketBinding } from './socket-binding.js'

/** All sockets of one session on this node, and what they know of its life together. */
export class SocketGroup {
  readonly ref: SessionRef
  readonly seats = new Set<SocketBinding>()
  /** Idle lifetime by the last look, milliseconds. */
  maxIdleMs = Infinity
  /** When the session ends unless somebody uses it, by the last look. */
  expiresAt = Infinity
  /** When to look again whether the session lives. */
  lookAt = 0
  /** A look is under way. */
  looking = false
  /** The last access that the backend was told of, and the last one there was. */
  notedAt: number
  usedAt: number

  constructor(ref: SessionRef, notedAt: number) {
    this.ref = ref
    this.notedAt = notedAt
    this.usedAt = notedAt
  }

  /** Whether an access is still to be told, and the last one told is old enough. */
  owesTouch(now: number, touchAfterMs: number): boolean {
    // A session with a short lifetime of its own is told of more often, or it would end in use.
    return this.usedAt > this.notedAt && now - this.notedAt >= Math.min(touchAfterMs, this.maxIdleMs / 4)
  }
}
