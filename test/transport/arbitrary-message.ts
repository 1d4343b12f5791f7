/** Every message a replica can say, as fast-check arbitraries. */
import * as fc from 'fast-check'
import type {
  ContextEntry, Event, Fragment, Kill, Message, Register, RegisterWrite, Touch,
} from '../../src/replica/events.js'
import { FIRST_EPOCH, type Epoch, type SetElement } from '../../src/session/merged.js'
import { RegisterKind, type Dot, type EndReason, type IdHash, type NodeId } from '../../src/session/session.js'

const SAFE = Number.MAX_SAFE_INTEGER
const actor = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 2 ** 32, max: SAFE }))
const counter = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: SAFE - 1000 }))
const number = fc.nat()
const time = fc.oneof(fc.integer({ min: 1.5e12, max: 2e12 }), fc.integer({ min: 0, max: 8.64e15 }))
const hlc = fc.oneof(fc.integer({ min: 3e14, max: 5e14 }), fc.integer({ min: 0, max: SAFE }))
const lifetime = fc.oneof(fc.nat(), fc.constant(Infinity))
const dot: fc.Arbitrary<Dot> = fc.record({ actor, counter })
const dots = fc.array(dot, { maxLength: 8 })
const reason = fc.constantFrom<EndReason>('destroyed', 'expired', 'logged-out', 'replaced', 'duplicate')
const hash = fc
  .array(fc.constantFrom('a', 'z', 'A', 'Z', '0', '9', '-', '_'), { minLength: 22, maxLength: 22 })
  .map((all) => all.join('') as IdHash)
const wellFormed = (text: string): boolean => Buffer.from(text).toString() === text
const principal = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter(wellFormed)
const name = fc.oneof(
  fc.constantFrom('cart', '__proto__', 'constructor', 'toString', 'größe 🎈', '\0principal', 'x'.repeat(256)),
  fc.string({ minLength: 1, maxLength: 20 }),
)
const bytes = fc.uint8Array({ maxLength: 300 })
const registerValue = fc.oneof(bytes, principal, fc.constant(''), lifetime, fc.constant(null))

/** Kinds that replace: `lww`, and those that this version does not know. */
const plainKind = fc.oneof(fc.constant(RegisterKind.lww), fc.integer({ min: 4, max: 255 }))
const finite = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true })).map((n) => n + 0)
const epoch: fc.Arbitrary<Epoch> = fc.oneof(fc.constant(FIRST_EPOCH), fc.record({ hlc: hlc.filter((at) => at > 0), dot }))
const byActor = (minLength: number): fc.Arbitrary<Dot[]> =>
  fc
    .uniqueArray(dot, { selector: (one) => one.actor, minLength, maxLength: 4 })
    .map((all) => all.sort((a, b) => a.actor - b.actor))
const element = fc.uint8Array({ minLength: 1, maxLength: 12 })
const text = (one: Uint8Array): string => one.join('.')
const encoded = fc.uniqueArray(element, { selector: text, maxLength: 5 }).map((all) => all.sort((a, b) => Buffer.compare(a, b)))
const elements: fc.Arbitrary<SetElement[]> = fc
  .uniqueArray(fc.record({ bytes: element, dots: byActor(1) }), { selector: (one) => text(one.bytes), maxLength: 4 })
  .map((all) => all.sort((a, b) => Buffer.compare(a.bytes, b.bytes)))

const type = <const T extends string>(word: T): fc.Arbitrary<T> => fc.constant(word)
const write: fc.Arbitrary<RegisterWrite> = fc.oneof(
  fc.record({ name, kind: plainKind, value: registerValue }),
  fc.record({ name, kind: fc.constantFrom(1, 2, 3), value: fc.constant(null) }),
  fc.record({ name, kind: fc.constant(1), value: fc.record({ type: type('counter'), epoch, sum: finite }) }),
  fc.record({ name, kind: fc.constant(2), value: fc.record({ type: type('max'), epoch, value: finite }) }),
  fc.record({
    name,
    kind: fc.constant(3),
    value: fc.record({ type: type('set'), epoch, add: encoded, remove: elements }),
  }),
)
const writes = fc.array(write, { maxLength: 5 })
const touch: fc.Arbitrary<Touch> = fc.record({ birth: dot, at: time })
const touches = fc.array(touch, { maxLength: 8 })
const base = fc.record({ createdAt: time, maxIdleMs: lifetime, maxLifeMs: lifetime })

type Loose = Event extends infer E ? (E extends Event ? Omit<E, 'dot'> : never) : never
const head = { hlc, touchedAt: time, birth: dot }
const looseEvent: fc.Arbitrary<Loose> = fc.oneof(
  fc.record({ type: fc.constant('create' as const), ...head, base, id: hash, writes }),
  fc.record({ type: fc.constant('write' as const), ...head, writes }),
  fc.record({ type: fc.constant('rotate' as const), ...head, id: hash, drops: dots, writes }),
  fc.record({ type: fc.constant('kill' as const), ...head, reason }),
  fc.record({ type: fc.constant('revoke' as const), hlc, principal }),
)
const events: fc.Arbitrary<Event[]> = fc
  .tuple(fc.array(looseEvent, { maxLength: 6 }), actor, counter)
  .map(([loose, from, first]) =>
    loose.map((event, i): Event => {
      const own = { actor: from, counter: first + i }
      return event.type === 'create' ? { ...event, dot: own, birth: own } : { ...event, dot: own }
    }),
  )

const entries = byActor(0).chain((dots) => fc.tuple(...dots.map((one) => fc.record({ dot: fc.constant(one), sum: finite }))))
const register: fc.Arbitrary<Register> = fc.oneof(
  fc.record({ name, kind: plainKind, value: registerValue, hlc, dot }),
  fc.record({
    name,
    kind: fc.constant(1),
    value: fc.record({ type: type('counter'), epoch, entries }),
    hlc,
    dot,
  }),
  fc.record({
    name,
    kind: fc.constant(2),
    value: fc.record({ type: type('max'), epoch, top: fc.option(fc.record({ dot, value: finite })) }),
    hlc,
    dot,
  }),
  fc.record({
    name,
    kind: fc.constant(3),
    value: fc.record({ type: type('set'), epoch, elements, removed: elements, seen: byActor(0) }),
    hlc,
    dot,
  }),
)
const fragment: fc.Arbitrary<Fragment> = fc.record({
  birth: dot,
  base: fc.option(base, { nil: undefined }),
  touchedAt: time,
  highest: hlc,
  ids: fc.array(fc.record({ hash, dot }), { maxLength: 3 }),
  removedIds: dots,
  version: dots,
  registers: fc.array(register, { maxLength: 4 }),
})
const fragments = fc.array(fragment, { maxLength: 3 })
const kills: fc.Arbitrary<Kill[]> = fc.array(fc.record({ birth: dot, dot: fc.option(dot), reason }), { maxLength: 4 })
const revocations = fc.array(fc.record({ principal, hlc, dot }), { maxLength: 3 })
const context: fc.Arbitrary<ContextEntry[]> = fc.array(
  fc.tuple(actor, fc.nat(), fc.array(fc.integer({ min: 1, max: 1e6 }), { maxLength: 5 })).map(([of, from, gaps]) => {
    let last = from
    return { actor: of, base: from, extra: gaps.map((gap) => (last += gap)) }
  }),
  { maxLength: 5 },
)
const members = fc.array(
  fc.record({
    node: fc.string({ minLength: 1, maxLength: 128 }).map((text) => text as NodeId),
    actor,
    startedAt: time,
    state: fc.constantFrom('joining' as const, 'up' as const, 'left' as const),
  }),
  { maxLength: 4 },
)
const origin = fc.record({ actorTag: fc.integer({ min: 0, max: 0xffff_ffff }), counter: fc.nat() })
const live = fc.oneof(dots, dots.map((all) => all.sort((a, b) => a.actor - b.actor || a.counter - b.counter)))

/** One arbitrary per type of message, so that no type is ever left out. */
export const messageArbitraries: { readonly [T in Message['type']]: fc.Arbitrary<Extract<Message, { type: T }>> } = {
  delta: fc.record({ type: fc.constant('delta'), events, ack: fc.boolean() }),
  ack: fc.record({ type: fc.constant('ack'), context }),
  digest: fc.record({
    type: fc.constant('digest'),
    context,
    ready: fc.boolean(),
    hears: fc.array(actor, { maxLength: 5 }),
    lagMs: fc.double({ min: 0, max: 1e6, noNaN: true }).filter((lag) => !Object.is(lag, -0)),
    wallMs: time,
  }),
  roster: fc.record({ type: fc.constant('roster'), members }),
  'sync-request': fc.record({ type: fc.constant('sync-request'), round: number, context }),
  'sync-part': fc.record({
    type: fc.constant('sync-part'), round: number, job: number, index: number, fragments, kills, revocations, live,
  }),
  'sync-end': fc.record({
    type: fc.constant('sync-end'), round: number, job: number, parts: number, context, floor: dots, live: fc.boolean(),
  }),
  'sync-credit': fc.record({ type: fc.constant('sync-credit'), job: number, index: number }),
  pull: fc.record({
    type: fc.constant('pull'),
    query: number,
    births: dots,
    ids: fc.array(fc.record({ hash, origin: fc.option(origin) }), { maxLength: 4 }),
  }),
  'pull-reply': fc.record({
    type: fc.constant('pull-reply'),
    query: number,
    fragments,
    kills,
    dead: dots,
    dropped: fc.array(hash, { maxLength: 3 }),
    floor: dots,
    ready: fc.boolean(),
  }),
  touches: fc.record({ type: fc.constant('touches'), entries: touches }),
  probe: fc.record({ type: fc.constant('probe'), query: number, births: touches }),
  'probe-reply': fc.record({ type: fc.constant('probe-reply'), query: number, later: touches, keep: dots }),
  leave: fc.record({ type: fc.constant('leave'), counter: fc.nat() }),
}

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(...Object.values(messageArbitraries))

/** The same message with plain Uint8Arrays, so that messages can be compared. */
export function plain<T>(message: T): T {
  return structuredClone(message)
}
