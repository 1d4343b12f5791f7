import { ProtocolError } from '../errors.js'
import type { Fragment, IdEntry, Kill, Member, Message, Revocation } from '../replica/events.js'
import type { IdHash, IdOrigin, NodeId } from '../session/session.js'
import {
  count, duration, type Fields, flag, hash, list, refuseField, rows, sum, text, time, word,
} from './fields.js'
import { MAX_MEMBERS, MAX_NODE_CHARS, MAX_TEXT_CHARS } from './limits.js'
import {
  type Actors, actorAt, dotAt, readContext, readDots, readFloor, readRuns, readTouches,
} from './read-dots.js'
import { readBase, readEvents } from './read-event.js'
import { readRegisters } from './read-register.js'
import { END_REASONS, MEMBER_STATES, MESSAGE_TYPES, near, OPTIONAL_BIT, readActors } from './wire-format.js'

type TypeNumber = (typeof MESSAGE_TYPES)[keyof typeof MESSAGE_TYPES]

/**
 * The message that the fields of one frame hold; undefined: optional and unknown. Further fields are ignored.
 */
export function readMessage(fields: Fields): Message | undefined {
  const type = count(fields, 0, 'type')
  if (isKnown(type)) return readKnown(type, fields, readActors(fields[1]))
  if (type > 0xff || (type & OPTIONAL_BIT) === 0) {
    throw new ProtocolError('unknown-type', 'the type of message is unknown')
  }
  return undefined
}

const KNOWN: ReadonlySet<number> = new Set(Object.values(MESSAGE_TYPES))

function isKnown(type: number): type is TypeNumber {
  return KNOWN.has(type)
}

function readKnown(type: TypeNumber, fields: Fields, actors: Actors): Message {
  switch (type) {
    case MESSAGE_TYPES.delta: {
      const events = readEvents(list(fields, 4, 'events'), fields[3], actors)
      return { type: 'delta', ack: flag(fields, 2, 'ack'), events }
    }
    case MESSAGE_TYPES.ack:
      return { type: 'ack', context: readContext(list(fields, 2, 'context'), actors) }
    case MESSAGE_TYPES.digest:
      return readDigest(fields, actors)
    case MESSAGE_TYPES.roster:
      return { type: 'roster', members: readMembers(list(fields, 2, 'members'), actors) }
    case MESSAGE_TYPES['sync-request']:
      return {
        type: 'sync-request',
        round: count(fields, 2, 'round'),
        context: readContext(list(fields, 3, 'context'), actors),
      }
    case MESSAGE_TYPES['sync-part']:
      return readSyncPart(fields, actors)
    case MESSAGE_TYPES['sync-end']:
      return readSyncEnd(fields, actors)
    case MESSAGE_TYPES['sync-credit']:
      return { type: 'sync-credit', job: count(fields, 2, 'job'), index: count(fields, 3, 'index') }
    case MESSAGE_TYPES.pull:
      return {
        type: 'pull',
        query: count(fields, 2, 'query'),
        births: readDots(list(fields, 3, 'births'), actors),
        ids: rows(list(fields, 4, 'ids'), 3, 'ids', readAskedId),
      }
    case MESSAGE_TYPES['pull-reply']:
      return readPullReply(fields, actors)
    case MESSAGE_TYPES.touches:
      return { type: 'touches', entries: readTouches(list(fields, 2, 'entries'), actors) }
    case MESSAGE_TYPES.probe:
      return {
        type: 'probe',
        query: count(fields, 2, 'query'),
        births: readTouches(list(fields, 3, 'births'), actors),
      }
    case MESSAGE_TYPES['probe-reply']:
      return {
        type: 'probe-reply',
        query: count(fields, 2, 'query'),
        later: readTouches(list(fields, 3, 'later'), actors),
        keep: readDots(list(fields, 4, 'keep'), actors),
      }
    case MESSAGE_TYPES.leave:
      return { type: 'leave', counter: count(fields, 2, 'counter') }
  }
}

function readDigest(fields: Fields, actors: Actors): Message {
  return {
    type: 'digest',
    context: readContext(list(fields, 2, 'context'), actors),
    ready: flag(fields, 3, 'ready'),
    hears: rows(list(fields, 4, 'hears'), 1, 'hears', (items, at) => actorAt(items, at, actors)),
    lagMs: duration(fields, 5, 'lagMs'),
    wallMs: time(0, fields, 6, 'wallMs'),
  }
}

function readMembers(items: Fields, actors: Actors): Member[] {
  if (items.length > MAX_MEMBERS * 4) refuseField('members')
  return rows(items, 4, 'members', (row, at) => ({
    node: text(row, at, MAX_NODE_CHARS, 'node') as NodeId,
    actor: actorAt(row, at + 1, actors),
    startedAt: time(0, row, at + 2, 'startedAt'),
    state: word(MEMBER_STATES, row, at + 3, 'state'),
  }))
}

function readAskedId(items: Fields, at: number): { hash: IdHash; origin: IdOrigin | null } {
  const name = hash(items, at, 'id')
  if (items[at + 1] === null && items[at + 2] === null) return { hash: name, origin: null }
  const tag = count(items, at + 1, 'origin')
  if (tag > 0xffff_ffff) refuseField('origin')
  // From 0: this counter comes out of a browser's id, which in a cluster without a secret anybody can make.
  return { hash: name, origin: { actorTag: tag, counter: count(items, at + 2, 'origin') } }
}

// ── Whole sessions ─────────────────────────────────────────────────────────────────────────────────────────

function readSyncPart(fields: Fields, actors: Actors): Message {
  return {
    type: 'sync-part',
    round: count(fields, 2, 'round'),
    job: count(fields, 3, 'job'),
    index: count(fields, 4, 'index'),
    fragments: readFragments(list(fields, 5, 'fragments'), actors),
    kills: readKills(list(fields, 6, 'kills'), actors),
    revocations: readRevocations(list(fields, 7, 'revocations'), actors),
    live: readRuns(list(fields, 8, 'live'), actors),
  }
}

function readSyncEnd(fields: Fields, actors: Actors): Message {
  return {
    type: 'sync-end',
    round: count(fields, 2, 'round'),
    job: count(fields, 3, 'job'),
    parts: count(fields, 4, 'parts'),
    context: readContext(list(fields, 5, 'context'), actors),
    floor: readFloor(list(fields, 6, 'floor'), actors),
    live: flag(fields, 7, 'live'),
  }
}

function readPullReply(fields: Fields, actors: Actors): Message {
  return {
    type: 'pull-reply',
    query: count(fields, 2, 'query'),
    fragments: readFragments(list(fields, 3, 'fragments'), actors),
    kills: readKills(list(fields, 4, 'kills'), actors),
    dead: readDots(list(fields, 5, 'dead'), actors),
    dropped: rows(list(fields, 6, 'dropped'), 1, 'dropped', (items, at) => hash(items, at, 'dropped')),
    floor: readFloor(list(fields, 7, 'floor'), actors),
    ready: flag(fields, 8, 'ready'),
  }
}

function readFragments(items: Fields, actors: Actors): Fragment[] {
  let highest = 0
  return items.map((_, i) => {
    const fragment = readFragment(list(items, i, 'fragment'), highest, actors)
    highest = fragment.highest
    return fragment
  })
}

function readFragment(fields: Fields, previous: number, actors: Actors): Fragment {
  const highest = sum(previous, fields, 2, 'highest')
  return {
    birth: dotAt(fields, 0, actors),
    highest,
    touchedAt: time(near(highest), fields, 3, 'touchedAt'),
    base: fields[4] === null ? undefined : readBase(list(fields, 4, 'base'), 0, highest),
    ids: rows(list(fields, 5, 'ids'), 3, 'ids', (items, at): IdEntry => ({
      hash: hash(items, at, 'id'),
      dot: dotAt(items, at + 1, actors),
    })),
    removedIds: readDots(list(fields, 6, 'removedIds'), actors),
    version: readDots(list(fields, 7, 'version'), actors),
    registers: readRegisters(list(fields, 8, 'registers'), highest, actors),
  }
}

function readRevocations(items: Fields, actors: Actors): Revocation[] {
  return rows(items, 4, 'revocations', (row, at) => ({
    principal: text(row, at, MAX_TEXT_CHARS, 'principal'),
    hlc: count(row, at + 1, 'hlc'),
    dot: dotAt(row, at + 2, actors),
  }))
}

function readKills(items: Fields, actors: Actors): Kill[] {
  return rows(items, 5, 'kills', (row, at) => ({
    birth: dotAt(row, at, actors),
    dot: row[at + 2] === null && row[at + 3] === null ? null : dotAt(row, at + 2, actors),
    reason: word(END_REASONS, row, at + 4, 'reason'),
  }))
}
