/** What nearly every request and every message of a cluster goes through, ready to be done over and over. */
import type { Event, Input, Message, Stamp } from '../../src/replica/events.js'
import { REPLICA_DEFAULTS } from '../../src/replica/options.js'
import { Replica } from '../../src/replica/replica.js'
import { actorTag, type Dot, type IdHash, type NodeId } from '../../src/session/session.js'
import { decodeValue, encodeValue } from '../../src/session/value.js'
import { decodeMessage, encodeMessage } from '../../src/transport/codec.js'

export type OperationName = 'load' | 'commit' | 'encode' | 'decode' | 'apply' | 'writeValue' | 'readValue'

const START = Date.UTC(2026, 0, 1)
const ATTRIBUTES = 10
const SESSIONS = 50
const VALUE = { items: [{ sku: 'A-1', count: 2 }, { sku: 'B-2', count: 1 }], note: 'as always', at: START }

/** Replicas with peers and sessions of ten attributes, and an operation for each name. */
export function operations(): Readonly<Record<OperationName, () => void>> {
  const [here, there] = pair()
  const ids = Array.from({ length: SESSIONS }, (_, i) => create(here, i))
  const writes = ids.map(({ birth }, i) => commitOf(birth, i))
  const message = deltaOf(here, ids[0]?.birth ?? { actor: 0, counter: 0 })
  const frame = encodeMessage(message)
  const value = encodeValue(VALUE, 'cart')
  let turn = 0
  const next = <T>(items: readonly T[]): T => items[turn++ % items.length] as T
  let counter = 0
  return {
    load: () => {
      const { id, birth, stamp } = next(ids)
      const origin = { actorTag: actorTag(birth.actor), counter: birth.counter }
      const answer = here.lookup({ request: 0, id, origin, deadline: START + 1_000, stamp }, START)
      if (answer?.state !== 'found') throw new Error('a session that is held was not found')
    },
    commit: () => {
      const [done] = here.handle(next(writes), START).filter(({ type }) => type === 'committed')
      if (done === undefined) throw new Error('a commit was not answered')
      // As at the end of every turn: what is not sent would pile up.
      here.handle({ type: 'flush' }, START)
    },
    encode: () => void encodeMessage(message),
    decode: () => void decodeMessage(frame),
    apply: () => {
      const events = message.events.map((event) => ({ ...event, dot: { actor: 3, counter: ++counter }, hlc: counter }))
      there.handle({ type: 'message', link: 2, message: { ...message, events } }, START)
      if (there.state.context.base(3) !== counter) throw new Error('an event was not applied')
    },
    writeValue: () => void encodeValue(VALUE, 'cart'),
    readValue: () => void decodeValue(value),
  }
}

interface Held {
  readonly id: IdHash
  readonly birth: Dot
  readonly stamp: Stamp
}

function pair(): readonly [Replica, Replica] {
  const [a, b] = [replica(1), replica(2)]
  a.handle({ type: 'tick', lagMs: 0 }, START)
  const third = { node: 'node-3' as NodeId, actor: 3, startedAt: START, state: 'up' } as const
  b.handle({ type: 'link-up', link: 2, member: third }, START)
  a.handle({ type: 'link-up', link: 1, member: b.roster.self }, START)
  a.handle({ type: 'message', link: 1, message: digest() }, START)
  return [a, b]
}

function replica(actor: number): Replica {
  const options = { ...REPLICA_DEFAULTS, node: `node-${actor}` as NodeId, actor, startedAt: START, peers: [] }
  return new Replica(options, START)
}

function digest(): Message {
  return { type: 'digest', context: [], ready: true, hears: [1, 2], lagMs: 0, wallMs: START }
}

function create(into: Replica, index: number): Held {
  const id = `id-${String(index).padStart(19, '0')}` as IdHash
  const birth = into.nextDot
  const base = { createdAt: START, maxIdleMs: 1_800_000, maxLifeMs: Infinity }
  const writes = Array.from({ length: ATTRIBUTES }, (_, i) => attribute(i, 0))
  const commit = { type: 'create' as const, id, base, writes }
  const outputs = into.handle({ type: 'commit', request: 0, commit, concern: 'async', deadline: START }, START)
  const stamp = outputs.flatMap((output) => (output.type === 'committed' && output.stamp ? [output.stamp] : []))[0]
  if (stamp === undefined) throw new Error('a session could not be made')
  return { id, birth, stamp }
}

function commitOf(birth: Dot, index: number): Input {
  const commit = { type: 'write' as const, birth, writes: [attribute(index % ATTRIBUTES, index)] }
  return { type: 'commit', request: 1, commit, concern: 'async', deadline: START + 250 }
}

function deltaOf({ nextDot }: Replica, birth: Dot): Extract<Message, { type: 'delta' }> {
  const event: Event = { type: 'write', dot: nextDot, birth, hlc: 1, touchedAt: START, writes: [attribute(3, 7)] }
  return { type: 'delta', events: [event], ack: false }
}

function attribute(index: number, version: number): { name: string; kind: number; value: Uint8Array } {
  return { name: `a${index}`, kind: 0, value: encodeValue(`${version}`.padEnd(100, '.'), 'a') }
}
