/**
 * The numbers and shapes that both halves of the codec share. PROTOCOL.md, "Frames", says the same in words.
 *
 *   message = [ type, actors, ...fields ]
 *
 * `actors` is a binary of 7 bytes (big-endian) for every process start that the message speaks of; the fields
 * name them by their place in it. Times and hybrid clocks travel as differences to one that came before.
 */
import { ProtocolError } from '../errors.js'
import type { Event, Member, Message } from '../replica/events.js'
import type { EndReason } from '../session/session.js'
import { MAX_ACTORS } from './limits.js'

/** Never renumbered. From 128 on: types that a node which does not know them may skip. */
export const MESSAGE_TYPES = {
  delta: 1,
  ack: 2,
  digest: 3,
  roster: 4,
  'sync-request': 5,
  'sync-part': 6,
  'sync-end': 7,
  'sync-credit': 8,
  pull: 9,
  'pull-reply': 10,
  touches: 11,
  probe: 12,
  'probe-reply': 13,
  leave: 14,
} as const satisfies Record<Message['type'], number>

/** A message whose type has this bit is optional: unknown, it is skipped instead of closing the link. */
export const OPTIONAL_BIT = 0x80

export const EVENT_TYPES = {
  create: 1,
  write: 2,
  rotate: 3,
  kill: 4,
  revoke: 5,
} as const satisfies Record<Event['type'], number>

/** By place; new ones are added at the end. */
export const END_REASONS: readonly EndReason[] = [
  'destroyed', 'expired', 'logged-out', 'replaced', 'duplicate',
]
export const MEMBER_STATES: readonly Member['state'][] = ['joining', 'up', 'left']

/** The millisecond a hybrid clock stands for; accesses are near it, so their difference to it is short. */
export function near(hlc: number): number {
  return Math.floor(hlc / 2048) + Date.UTC(2020, 0, 1)
}

const ACTOR_BYTES = 7

/** So many are found sooner by walking a list than by hashing. */
const WALKED_MAX = 16

/** Gives every actor of a message its place while the message is written. */
export class ActorTable {
  readonly #actors: number[] = []
  #places: Map<number, number> | undefined = undefined

  place(actor: number): number {
    const known = this.#places === undefined ? this.#actors.indexOf(actor) : (this.#places.get(actor) ?? -1)
    if (known >= 0) return known
    const place = this.#actors.push(actor) - 1
    if (this.#places !== undefined) this.#places.set(actor, place)
    else if (place >= WALKED_MAX) this.#places = new Map(this.#actors.map((other, at) => [other, at]))
    return place
  }

  toBytes(): Uint8Array {
    const bytes = Buffer.allocUnsafe(this.#actors.length * ACTOR_BYTES)
    let at = 0
    for (const actor of this.#actors) {
      bytes.writeUIntBE(Math.floor(actor / 0x1_0000_0000), at, 3)
      bytes.writeUInt32BE(actor % 0x1_0000_0000, at + 3)
      at += ACTOR_BYTES
    }
    return bytes
  }
}

/** The actors of a message, by place. */
export function readActors(value: unknown): readonly number[] {
  const allowed = value instanceof Uint8Array && value.length % ACTOR_BYTES === 0
  if (!allowed || value.length > MAX_ACTORS * ACTOR_BYTES) {
    throw new ProtocolError('field', 'field actors is missing or not allowed')
  }
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
  const actors: number[] = []
  for (let at = 0; at < bytes.length; at += ACTOR_BYTES) {
    const actor = bytes.readUIntBE(at, 3) * 0x1_0000_0000 + bytes.readUInt32BE(at + 3)
    if (!Number.isSafeInteger(actor)) throw new ProtocolError('field', 'field actors is not allowed')
    actors.push(actor)
  }
  return actors
}
