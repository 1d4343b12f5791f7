import { ProtocolError } from '../errors.js'
import type { Event, SessionBase } from '../replica/events.js'
import type { Dot } from '../session/session.js'
import {
  count, counter, type Fields, hash, lifetime, list, refuseField, sum, text, time, word,
} from './fields.js'
import { MAX_TEXT_CHARS } from './limits.js'
import { type Actors, dotAt, readDots } from './read-dots.js'
import { readWrites } from './read-register.js'
import { END_REASONS, EVENT_TYPES, near } from './wire-format.js'

/** The events of one delta: all of the first actor, with consecutive counters from `firstCounter` on. */
export function readEvents(items: Fields, firstCounter: unknown, actors: Actors): Event[] {
  if (items.length === 0) return []
  const actor = actors[0]
  if (actor === undefined) refuseField('actors')
  const first = counter([firstCounter], 0, 'first')
  if (!Number.isSafeInteger(first + items.length)) refuseField('first')
  let hlc = 0
  return items.map((_, i) => {
    const event = readEvent(list(items, i, 'event'), { actor, counter: first + i }, hlc, actors)
    hlc = event.hlc
    return event
  })
}

function readEvent(fields: Fields, dot: Dot, previousHlc: number, actors: Actors): Event {
  const type = count(fields, 0, 'event type')
  const hlc = sum(previousHlc, fields, 1, 'hlc')
  if (type === EVENT_TYPES.revoke) {
    return { type: 'revoke', dot, hlc, principal: text(fields, 2, MAX_TEXT_CHARS, 'principal') }
  }
  const touchedAt = time(near(hlc), fields, 2, 'touchedAt')
  if (type === EVENT_TYPES.create) {
    const base = readBase(fields, 3, hlc)
    const id = hash(fields, 6, 'id')
    const writes = readWrites(list(fields, 7, 'writes'), hlc, actors)
    return { type: 'create', dot, hlc, birth: dot, touchedAt, base, id, writes }
  }
  const birth = dotAt(fields, 3, actors)
  switch (type) {
    case EVENT_TYPES.write: {
      const writes = readWrites(list(fields, 5, 'writes'), hlc, actors)
      return { type: 'write', dot, hlc, birth, touchedAt, writes }
    }
    case EVENT_TYPES.rotate: {
      const id = hash(fields, 5, 'id')
      const drops = readDots(list(fields, 6, 'drops'), actors)
      const writes = readWrites(list(fields, 7, 'writes'), hlc, actors)
      return { type: 'rotate', dot, hlc, birth, touchedAt, id, drops, writes }
    }
    case EVENT_TYPES.kill:
      return { type: 'kill', dot, hlc, birth, touchedAt, reason: word(END_REASONS, fields, 5, 'reason') }
    default:
      throw new ProtocolError('unknown-event', 'the type of event is unknown')
  }
}

export function readBase(fields: Fields, at: number, hlc: number): SessionBase {
  return {
    createdAt: time(near(hlc), fields, at, 'createdAt'),
    maxIdleMs: lifetime(fields, at + 1, 'maxIdleMs'),
    maxLifeMs: lifetime(fields, at + 2, 'maxLifeMs'),
  }
}
