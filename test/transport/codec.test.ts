import * as fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../../src/errors.js'
import type { Event, Fragment, Message } from '../../src/replica/events.js'
import type { IdHash } from '../../src/session/session.js'
import { decodeMessage, encodeMessage } from '../../src/transport/codec.js'
import { MAX_ELEMENTS, MAX_MESSAGE_BYTES } from '../../src/transport/limits.js'
import { anyMessage, messageArbitraries, plain } from './arbitrary-message.js'

const packr = new Packr({ useRecords: false, moreTypes: true })
const packed = (fields: unknown): Uint8Array => Uint8Array.from(packr.pack(fields))
const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** The rule that decoding breaks, or what it answers. */
function verdict(bytes: Uint8Array): string {
  try {
    return decodeMessage(bytes)?.type ?? 'skipped'
  } catch (error) {
    if (error instanceof ProtocolError) return error.rule
    throw error
  }
}

const ACTOR = 2 ** 52 + 12_345
const NOW = 1_790_000_000_000
const HLC = (NOW - Date.UTC(2020, 0, 1)) * 2048 + 3
const HASH = 'abcdefghijklmnopqrstuv' as IdHash

function write(over: Partial<Extract<Event, { type: 'write' }>> = {}): Event {
  const dot = { actor: ACTOR, counter: 40_000 }
  const writes = [{ name: 'cart', kind: 0, value: new Uint8Array(100).fill(7) }]
  return { type: 'write', dot, hlc: HLC, birth: { actor: ACTOR, counter: 39_000 }, touchedAt: NOW, writes, ...over }
}

describe('round trip', () => {
  for (const [type, message] of Object.entries(messageArbitraries)) {
    it(`gives back every ${type} as it was`, () => {
      fc.assert(
        fc.property(message as fc.Arbitrary<Message>, (m) => {
          expect(plain(decodeMessage(encodeMessage(m)))).toEqual(m)
        }),
        { numRuns: 300 },
      )
    })
  }

  it('keeps hostile names as plain data and leaves every prototype alone', () => {
    const before = Object.getOwnPropertyNames(Object.prototype)
    const writes = ['__proto__', 'constructor', 'toString'].map((name) => ({ name, kind: 0, value: Buffer.of(1) }))

    const back = decodeMessage(encodeMessage({ type: 'delta', events: [write({ writes })], ack: false }))

    expect(plain(back)).toMatchObject({ events: [{ writes: plain(writes).map((w) => ({ ...w, value: Uint8Array.of(1) })) }] })
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
  })

  it('refuses a session whose counter was removed without saying when', () => {
    const dot = { actor: ACTOR, counter: 1 }
    const session = { birth: dot, base: undefined, touchedAt: NOW, highest: HLC, ids: [], removedIds: [], version: [dot] }
    const fragment = { ...session, registers: [{ name: 'n', kind: 1, value: null, hlc: HLC, dot }] }
    const reply: Message = {
      type: 'pull-reply', query: 1, fragments: [fragment], kills: [], dead: [], dropped: [], floor: [], ready: true,
    }

    expect(verdict(encodeMessage(reply))).toBe('field')
  })

  it('copies values out of the frame, so that a small value never pins a large frame', () => {
    const frame = Uint8Array.from(encodeMessage({ type: 'delta', events: [write()], ack: false }))

    const back = decodeMessage(frame) as Extract<Message, { type: 'delta' }>
    frame.fill(0)

    const event = back.events[0] as Extract<Event, { type: 'write' }>
    const value = event.writes[0]?.value as Uint8Array
    expect(value.buffer).not.toBe(frame.buffer)
    expect([...value]).toEqual(Array(100).fill(7))
  })
})

describe('size', () => {
  it('tells a write of 100 bytes in at most 150', () => {
    const own = encodeMessage({ type: 'delta', events: [write()], ack: false })
    const foreign = encodeMessage({
      type: 'delta', events: [write({ birth: { actor: 2 ** 51 + 7, counter: 30_000 } })], ack: false,
    })

    expect(own.length).toBeLessThanOrEqual(143)
    expect(foreign.length).toBeLessThanOrEqual(150)
  })

  it('names the origin once for a whole batch', () => {
    const one = encodeMessage({ type: 'delta', events: [write()], ack: false }).length
    const events = Array.from({ length: 10 }, (_, i) => write({ dot: { actor: ACTOR, counter: 40_000 + i } }))

    expect(encodeMessage({ type: 'delta', events, ack: false }).length).toBeLessThanOrEqual(one + 9 * 121)
  })

  it('lists live births in about a byte each', () => {
    const live = Array.from({ length: 10_000 }, (_, i) => ({ actor: ACTOR, counter: 1 + i * 3 }))
    const part: Message = {
      type: 'sync-part', round: 1, job: 1, index: 0, fragments: [], kills: [], revocations: [], live,
    }

    expect(encodeMessage(part).length).toBeLessThanOrEqual(10_050)
  })

  it('tells whole sessions of one attribute in at most 67 bytes beyond the value each', () => {
    const fragments = Array.from({ length: 100 }, (_, i): Fragment => {
      const dot = { actor: ACTOR, counter: 40_000 + i }
      const value = new Uint8Array(100).fill(7)
      return {
        birth: dot,
        base: { createdAt: NOW, maxIdleMs: 1_800_000, maxLifeMs: Infinity },
        touchedAt: NOW,
        highest: HLC + i * 2048,
        ids: [{ hash: HASH, dot }],
        removedIds: [],
        version: [dot],
        registers: [{ name: 'cart', kind: 0, value, hlc: HLC + i * 2048, dot }],
      }
    })
    const part: Message = { type: 'sync-part', round: 1, job: 1, index: 0, fragments, kills: [], revocations: [], live: [] }

    expect(encodeMessage(part).length).toBeLessThanOrEqual(100 * 167)
  })

  it('says a cumulative ack in a few bytes', () => {
    expect(encodeMessage({ type: 'ack', context: [{ actor: ACTOR, base: 50_000, extra: [] }] }).length).toBeLessThan(20)
  })

  it('refuses to encode what no peer would take', () => {
    const writes = [{ name: 'big', kind: 0, value: new Uint8Array(MAX_MESSAGE_BYTES) }]

    expect(() => encodeMessage({ type: 'delta', events: [write({ writes })], ack: false })).toThrow(/does not fit/)
  })
})

/** The actors of a message, as on the wire. */
function table(actors: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(actors.length * 7)
  actors.forEach((actor, i) => {
    bytes.writeUIntBE(Math.floor(actor / 2 ** 32), i * 7, 3)
    bytes.writeUInt32BE(actor % 2 ** 32, i * 7 + 3)
  })
  return bytes
}

describe('foreign bytes', () => {
  const leave = (counter: unknown): Uint8Array => packed([14, table([]), counter])
  const delta = (event: unknown, first: unknown = 1): Uint8Array => packed([1, table([ACTOR]), false, first, [event]])
  const writeOf = (...writes: unknown[]): Uint8Array => delta([2, HLC, 0, 0, 1, writes])

  const rows: readonly (readonly [row: string, what: string, bytes: Uint8Array, expected: string])[] = [
    ['W16', 'an empty frame', hex(''), 'empty-frame'],
    ['W18', 'byte 0xC1', hex('c1'), 'type-not-allowed'],
    ['W18', 'a truncated message', encodeMessage({ type: 'leave', counter: 70_000 }).subarray(0, -1), 'truncated'],
    ['W18', 'trailing bytes', Buffer.concat([encodeMessage({ type: 'leave', counter: 7 }), hex('00')]), 'trailing-bytes'],
    ['W19', 'an array of 2^32-1 items in 5 bytes', hex('dd ffffffff'), 'truncated'],
    ['W19', 'a map of 2^32-1 entries in 5 bytes', hex('df ffffffff'), 'type-not-allowed'],
    ['W19', 'a text of 2^32-1 bytes in 5 bytes', hex('db ffffffff'), 'truncated'],
    ['W19', 'a binary of 2^32-1 bytes in 5 bytes', hex('c6 ffffffff'), 'truncated'],
    ['W20', 'nesting 9', Buffer.from([...Array<number>(9).fill(0x91), 1]), 'depth'],
    ['W20', 'nesting 33', Buffer.from([...Array<number>(33).fill(0x91), 1]), 'depth'],
    ['W20', 'nesting 1,000,000', Buffer.concat([Buffer.alloc(1_000_000, 0x91), hex('01')]), 'depth'],
    ['W20', 'more elements than the budget', packed([14, table([]), 1, Array(MAX_ELEMENTS).fill(0)]), 'elements'],
    ['W21', 'a record', Uint8Array.from(new Packr().pack([14, { a: 1 }])), 'type-not-allowed'],
    ['W21', 'an Error', packed([14, new Error('secret')]), 'type-not-allowed'],
    ['W21', 'a RegExp', packed([14, /secret/]), 'type-not-allowed'],
    ['W21', 'a Set', packed([14, new Set([1])]), 'type-not-allowed'],
    ['W21', 'a Date', packed([14, new Date(0)]), 'type-not-allowed'],
    ['W21', 'a typed array', packed([14, new Float64Array(2)]), 'type-not-allowed'],
    ['W21', 'extension 99', hex('92 0e d4 63 00'), 'type-not-allowed'],
    ['W21', 'a map', packed({ a: 1 }), 'type-not-allowed'],
    ['W21', 'a float of 32 bits', hex('93 0e c400 ca 3f800000'), 'type-not-allowed'],
    ['W21', 'no array', packed('leave'), 'type-not-allowed'],
    ['W22', 'a self-referencing extension', Uint8Array.from(cyclic()), 'type-not-allowed'],
    ['W23', 'an unknown message type', packed([99, table([]), 1]), 'unknown-type'],
    ['W23', 'an unknown optional message type', packed([0x80 | 99, 'whatever', 1]), 'skipped'],
    ['W23', 'a type beyond one byte', packed([0x180, table([]), 1]), 'unknown-type'],
    ['W23', 'an unknown type of event', delta([9, HLC, 0, 0, 1]), 'unknown-event'],
    ['W24', 'a missing field', packed([14, table([])]), 'field'],
    ['W24', 'no fields at all', packed([]), 'field'],
    ['W24', 'further fields', packed([14, table([]), 7, 'from', ['the', 'future']]), 'leave'],
    ['W24', 'an actor that the table does not have', packed([2, table([ACTOR]), [1, 5, []]]), 'field'],
    ['W24', 'an actor table cut short', packed([14, table([ACTOR]).subarray(1), 1]), 'field'],
    ['W24', 'a flat list with a piece missing', packed([2, table([ACTOR]), [0, 5]]), 'field'],
    ...([-1, 1.5, 2 ** 53, Number.NaN, '7', null, true] as const).map(
      (bad) => ['W25', `counter ${typeof bad} ${bad}`, leave(bad), 'field'] as const,
    ),
    ['W25', 'a bigint', leave(7n), 'type-not-allowed'],
    ['W25', 'an event numbered 0', delta([2, HLC, 0, 0, 1, []], 0), 'field'],
    ['W25', 'a birth numbered 0', delta([2, HLC, 0, 0, 0, []]), 'field'],
    ['W27', 'an access that is NaN', delta([2, HLC, Number.NaN, 0, 1, []]), 'field'],
    ['W27', 'an access before 1970', delta([2, HLC, -NOW - 1, 0, 1, []]), 'field'],
    ['W27', 'an access after the end of time', delta([2, HLC, 8.64e15, 0, 1, []]), 'field'],
    ['W27', 'a lifetime that is NaN', delta([1, HLC, 0, 0, Number.NaN, 5, HASH, []]), 'field'],
    ['W27', 'a negative lifetime', delta([1, HLC, 0, 0, 5, -1, HASH, []]), 'field'],
    ...['', 'x', 'x'.repeat(10_000), '../../etc/passwd/aaaaaa', '__proto__', 'abcdefghij\0lmnopqrstu', `${HASH}\n`].map(
      (bad) => ['W28', `id ${JSON.stringify(bad.slice(0, 24))}`, delta([1, HLC, 0, 0, 5, 5, bad, []]), 'field'] as const,
    ),
    ['W28', 'text with a lone surrogate', hex('93 0e c400 a3 eda080'), 'text'],
    ['W28', 'text with an overlong NUL', hex('93 0e c400 a2 c080'), 'text'],
    ['W29', 'an attribute without a name', writeOf('', 0, null), 'field'],
    ['W29', 'an attribute name of 10 KB', writeOf('x'.repeat(10_000), 0, null), 'field'],
    ['W29', 'an attribute name with a newline', writeOf('a\nb', 0, null), 'field'],
    ['W29', 'attributes __proto__, constructor, toString',
      writeOf('__proto__', 0, Buffer.of(1), 'constructor', 0, null, 'toString', 0, null), 'delta'],
    ['W30', 'an attribute that is an array', writeOf('a', 0, [1]), 'field'],
    ['W30', 'a counter of the first epoch', writeOf('n', 1, [null, 3]), 'delta'],
    ['W30', 'a counter that is bytes', writeOf('n', 1, Buffer.of(1)), 'field'],
    ['W30', 'a counter without a sum', writeOf('n', 1, [null]), 'field'],
    ['W30', 'a counter that is NaN', writeOf('n', 1, [null, Number.NaN]), 'field'],
    ['W30', 'a maximum that is Infinity', writeOf('n', 2, [null, Infinity]), 'field'],
    ['W30', 'an epoch before all time', writeOf('n', 2, [[-HLC, 0, 1], 1]), 'field'],
    ['W30', 'an epoch by nobody', writeOf('n', 2, [[0, 7, 1], 1]), 'field'],
    ['W30', 'a set', writeOf('s', 3, [null, [Buffer.of(1), Buffer.of(2)], [Buffer.of(3), [0, 1]]]), 'delta'],
    ['W30', 'a set whose elements are not in order', writeOf('s', 3, [null, [Buffer.of(2), Buffer.of(1)], []]), 'field'],
    ['W30', 'a set that holds an element twice', writeOf('s', 3, [null, [Buffer.of(1), Buffer.of(1)], []]), 'field'],
    ['W30', 'a set with an element of no bytes', writeOf('s', 3, [null, [Buffer.alloc(0)], []]), 'field'],
    ['W30', 'a set with an element that is text', writeOf('s', 3, [null, ['a'], []]), 'field'],
    ['W30', 'a removal of no addition', writeOf('s', 3, [null, [], [Buffer.of(3), []]]), 'field'],
    ['W30', 'a removal of two additions by one actor', writeOf('s', 3, [null, [], [Buffer.of(3), [0, 1, 0, 2]]]), 'field'],
    ['W30', 'a merged value of a kind from the future', writeOf('x', 4, [null, 1]), 'field'],
    ['W30', 'an attribute that is NaN', writeOf('a', 0, Number.NaN), 'field'],
    ['W30', 'an attribute of 1.1 MiB', writeOf('a', 0, new Uint8Array(1.1 * 1024 * 1024)), 'frame-size'],
  ]

  for (const [row, what, bytes, expected] of rows) {
    it(`${row}: ${what} gives ${expected}`, () => {
      const start = performance.now()

      expect(verdict(bytes)).toBe(expected)

      expect(performance.now() - start).toBeLessThan(250)
    })
  }

  it('says 1009 for a message that is too large and 1002 for everything else', () => {
    expect(codeOf(new Uint8Array(MAX_MESSAGE_BYTES + 1))).toBe(1009)
    expect(codeOf(hex('c1'))).toBe(1002)
  })

  it('names the field and never quotes content', () => {
    const text = messageOf(writeOf('password', 0, ['hunter2']))

    expect(text).toContain('value')
    expect(text).not.toMatch(/hunter2|password/)
  })

  it('answers 60,000 mutated, truncated and random frames with a message or a ProtocolError, nothing else', () => {
    const corpus = fc.sample(anyMessage, { numRuns: 300, seed: 17 }).map((m) => Uint8Array.from(encodeMessage(m)))
    const random = lcg(42)
    let decoded = 0
    for (let i = 0; i < 60_000; i++) {
      if (verdict(mutate(corpus[i % corpus.length]!, random)) in messageArbitraries) decoded += 1
    }

    expect(decoded).toBeGreaterThan(500)
    expect(decoded).toBeLessThan(40_000)
    expect(Object.keys({})).toEqual([])
  })

  it('answers random bytes with a message or a ProtocolError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void verdict(bytes)), { numRuns: 5_000 })
  })
})

function codeOf(bytes: Uint8Array): number {
  try {
    decodeMessage(bytes)
    return 0
  } catch (error) {
    return (error as ProtocolError).closeCode
  }
}

function messageOf(bytes: Uint8Array): string {
  try {
    decodeMessage(bytes)
    return ''
  } catch (error) {
    return (error as ProtocolError).message
  }
}

function cyclic(): Uint8Array {
  const self: unknown[] = [14]
  self.push(self)
  return new Packr({ structuredClone: true }).pack(self)
}

function lcg(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function mutate(frame: Uint8Array, random: (below: number) => number): Uint8Array {
  const kind = random(5)
  if (kind === 0) return frame.subarray(0, random(frame.length))
  if (kind === 1) return Uint8Array.from({ length: random(40) }, () => random(256))
  const copy = Uint8Array.from(frame)
  if (kind === 2) copy[random(copy.length)]! ^= 1 << random(8)
  else for (let n = random(6); n >= 0; n--) copy[random(copy.length)] = random(256)
  return kind === 4 ? Buffer.concat([copy, copy.subarray(random(copy.length))]) : copy
}
