import { invariant } from '../invariant.js'
import type { ContextEntry, Event, Fragment, Kill, Message, SessionBase, Touch } from '../replica/events.js'
import type { Dot, EndReason } from '../session/session.js'
import { ActorTable, END_REASONS, EVENT_TYPES, MEMBER_STATES, MESSAGE_TYPES, near } from './wire-format.js'
import type { Fields } from './fields.js'
import { dotsOf, registersOf, writesOf } from './write-register.js'

type Delta = Extract<Message, { type: 'delta' }>

/** The fields of a message in their order on the wire. */
export function messageFields(message: Message): Fields {
  const actors = new ActorTable()
  const fields = [MESSAGE_TYPES[message.type], null, ...bodyOf(message, actors)]
  fields[1] = actors.toBytes()
  return fields
}

function bodyOf(message: Message, actors: ActorTable): Fields {
  switch (message.type) {
    case 'delta':
      return deltaOf(message, actors)
    case 'ack':
      return [contextOf(message.context, actors)]
    case 'digest': {
      const context = contextOf(message.context, actors)
      const hears = message.hears.map((actor) => actors.place(actor))
      return [context, message.ready, hears, message.lagMs, message.wallMs]
    }
    case 'roster':
      return [
        message.members.flatMap(({ node, actor, startedAt, state }) => [
          node, actors.place(actor), startedAt, MEMBER_STATES.indexOf(state),
        ]),
      ]
    case 'sync-request':
      return [message.round, contextOf(message.context, actors)]
    case 'sync-part':
      return syncPartOf(message, actors)
    case 'sync-end': {
      const context = contextOf(message.context, actors)
      return [message.round, message.job, message.parts, context, dotsOf(message.floor, actors), message.live]
    }
    case 'sync-credit':
      return [message.job, message.index]
    case 'pull': {
      const ids = message.ids.flatMap(({ hash, origin }) => [
        hash, origin?.actorTag ?? null, origin?.counter ?? null,
      ])
      return [message.query, dotsOf(message.births, actors), ids]
    }
    case 'pull-reply':
      return pullReplyOf(message, actors)
    case 'touches':
      return [touchesOf(message.entries, actors)]
    case 'probe':
      return [message.query, touchesOf(message.births, actors)]
    case 'probe-reply':
      return [message.query, touchesOf(message.later, actors), dotsOf(message.keep, actors)]
    case 'leave':
      return [message.counter]
  }
}

// ── Events ─────────────────────────────────────────────────────────────────────────────────────────────────

/** The origin is the first actor of the table; counters follow from the first one. */
function deltaOf({ events, ack }: Delta, actors: ActorTable): Fields {
  const first = events[0]
  if (first === undefined) return [ack, 0, []]
  const { actor, counter } = first.dot
  actors.place(actor)
  let hlc = 0
  const encoded = events.map((event, i) => {
    const isNext = event.dot.actor === actor && event.dot.counter === counter + i
    invariant(isNext, 'a delta holds consecutive own events')
    const fields = eventOf(event, event.hlc - hlc, actors)
    hlc = event.hlc
    return fields
  })
  return [ack, counter, encoded]
}

function eventOf(event: Event, later: number, actors: ActorTable): Fields {
  const type = EVENT_TYPES[event.type]
  if (event.type === 'revoke') return [type, later, event.principal]
  const touched = event.touchedAt - near(event.hlc)
  if (event.type === 'create') {
    return [type, later, touched, ...baseOf(event.base, event.hlc), event.id, writesOf(event.writes, event.hlc, actors)]
  }
  const place = actors.place(event.birth.actor)
  switch (event.type) {
    case 'write':
      return [type, later, touched, place, event.birth.counter, writesOf(event.writes, event.hlc, actors)]
    case 'rotate': {
      const drops = dotsOf(event.drops, actors)
      return [type, later, touched, place, event.birth.counter, event.id, drops, writesOf(event.writes, event.hlc, actors)]
    }
    case 'kill':
      return [type, later, touched, place, event.birth.counter, reasonOf(event.reason)]
  }
}

function baseOf(base: SessionBase, hlc: number): Fields {
  return [base.createdAt - near(hlc), lifetimeOf(base.maxIdleMs), lifetimeOf(base.maxLifeMs)]
}

function lifetimeOf(ms: number): number | null {
  return ms === Infinity ? null : ms
}

function reasonOf(reason: EndReason): number {
  return END_REASONS.indexOf(reason)
}

// ── Whole sessions ─────────────────────────────────────────────────────────────────────────────────────────

function syncPartOf(message: Extract<Message, { type: 'sync-part' }>, actors: ActorTable): Fields {
  return [
    message.round,
    message.job,
    message.index,
    fragmentsOf(message.fragments, actors),
    killsOf(message.kills, actors),
    message.revocations.flatMap(({ principal, hlc, dot }) => [
      principal, hlc, actors.place(dot.actor), dot.counter,
    ]),
    runsOf(message.live, actors),
  ]
}

function pullReplyOf(message: Extract<Message, { type: 'pull-reply' }>, actors: ActorTable): Fields {
  return [
    message.query,
    fragmentsOf(message.fragments, actors),
    killsOf(message.kills, actors),
    dotsOf(message.dead, actors),
    message.dropped,
    dotsOf(message.floor, actors),
    message.ready,
  ]
}

/** Sessions made one after the other have clocks close together: each is told by its difference to the one before. */
function fragmentsOf(fragments: readonly Fragment[], actors: ActorTable): Fields {
  let last = 0
  return fragments.map((fragment) => {
    const fields = fragmentOf(fragment, fragment.highest - last, actors)
    last = fragment.highest
    return fields
  })
}

function fragmentOf(fragment: Fragment, later: number, actors: ActorTable): Fields {
  const { birth, base, highest } = fragment
  return [
    actors.place(birth.actor),
    birth.counter,
    later,
    fragment.touchedAt - near(highest),
    base === undefined ? null : baseOf(base, highest),
    fragment.ids.flatMap(({ hash, dot }) => [hash, actors.place(dot.actor), dot.counter]),
    dotsOf(fragment.removedIds, actors),
    dotsOf(fragment.version, actors),
    registersOf(fragment.registers, highest, actors),
  ]
}

function killsOf(kills: readonly Kill[], actors: ActorTable): Fields {
  const fields: unknown[] = []
  for (const { birth, dot, reason } of kills) {
    fields.push(actors.place(birth.actor), birth.counter)
    fields.push(dot && actors.place(dot.actor), dot && dot.counter, reasonOf(reason))
  }
  return fields
}

// ── Dots ───────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Runs of one actor, each its place, its first counter and then the gaps: sorted dots take about one byte
 * each.
 */
function runsOf(dots: readonly Dot[], actors: ActorTable): Fields {
  const runs: number[][] = []
  let run: number[] = []
  let last: Dot | undefined
  for (const dot of dots) {
    if (last === undefined || last.actor !== dot.actor || last.counter >= dot.counter) {
      runs.push((run = [actors.place(dot.actor), dot.counter]))
    } else {
      run.push(dot.counter - last.counter)
    }
    last = dot
  }
  return runs
}

function contextOf(context: readonly ContextEntry[], actors: ActorTable): Fields {
  const fields: unknown[] = []
  for (const { actor, base, extra } of context) {
    fields.push(actors.place(actor), base, extra.map((counter, i) => counter - (extra[i - 1] ?? base)))
  }
  return fields
}

/** Accesses lie close together: each is told by its difference to the one before. */
function touchesOf(touches: readonly Touch[], actors: ActorTable): Fields {
  const fields: number[] = []
  let last = 0
  for (const { birth, at } of touches) {
    fields.push(actors.place(birth.actor), birth.counter, at - last)
    last = at
  }
  return fields
}
