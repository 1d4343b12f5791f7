import { describe, expect, test } from 'vitest'
import { Context } from '../../src/replica/context.js'
import { Reserved, type Event, type Register } from '../../src/replica/events.js'
import { hlcAt } from '../../src/replica/hlc.js'
import { packed, PackedSession, type SessionContents } from '../../src/replica/sessions/packed-session.js'
import { SessionState, type SessionEvent } from '../../src/replica/sessions/session-state.js'
import { SessionTable } from '../../src/replica/sessions/session-table.js'
import { FIRST_EPOCH } from '../../src/session/merged.js'
import type { Dot, IdHash } from '../../src/session/session.js'
import { Random } from '../../src/simulator/random.js'

const START = Date.UTC(2026, 0, 1)
const BIRTH: Dot = { actor: 2 ** 52 + 3, counter: 70_000 }
const NUMBERS = [0, 1, 125, 126, 127, 128, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER - 2, Number.MAX_SAFE_INTEGER]
const ODD_NUMBERS = [-1, -0, 0.1, 2 ** 70, Infinity, -Infinity, Number.NaN]
const TEXTS = ['', 'a', 'a name of more than twelve characters', '\u0000principal', 'naïve', 'łódź', '🙂', '\ud800', 'ÿ'.repeat(300)]

function register(name: string, value: Register['value'], written: Partial<Register> = {}): Register {
  return { name, kind: 0, value, hlc: 1_000, dot: BIRTH, ...written }
}

function contentsOf(parts: Partial<SessionContents>): SessionContents {
  const base = { createdAt: START, maxIdleMs: 1_800_000, maxLifeMs: Infinity }
  return { base, highest: 1_000, ids: [], removedIds: [], version: [BIRTH], registers: [], ...parts }
}

/** Packed, somewhere among other bytes. */
function laidDown(contents: SessionContents): PackedSession {
  const bytes = packed(BIRTH, contents)
  if (bytes === undefined) throw new Error('not packed')
  return new PackedSession(new Uint8Array([7, 7, 7, ...bytes, 7]), 3, BIRTH)
}

function randomContents(dice: Random): SessionContents {
  const some = <T>(make: () => T): T[] => Array.from({ length: dice.integer(0, 4) }, make)
  const number = (): number => dice.pick([...NUMBERS, dice.integer(0, 2 ** 40)])
  const dot = (): Dot =>
    dice.pick([BIRTH, { actor: BIRTH.actor, counter: number() }, { actor: number(), counter: number() }])
  const value = (): Register['value'] =>
    dice.pick([null, dice.pick(ODD_NUMBERS), number(), dice.pick(TEXTS), Buffer.from(some(() => dice.integer(0, 255)))])
  const highest = number()
  return {
    base: { createdAt: START, maxIdleMs: dice.pick([Infinity, number()]), maxLifeMs: dice.pick([Infinity, number()]) },
    highest,
    ids: some(() => ({ hash: dice.pick(TEXTS) as IdHash, dot: dot() })),
    removedIds: [],
    version: some(dot),
    registers: some(() => register(dice.pick(TEXTS), value(), { kind: dice.integer(0, 255), hlc: dice.pick([highest, 0]), dot: dot() })),
  }
}

describe('a packed session', () => {
  test('comes back as it was, whatever it holds', () => {
    const dice = new Random(7)
    for (let round = 0; round < 2_000; round++) {
      const contents = randomContents(dice)

      expect(withPlainBytes(laidDown(contents).contents())).toStrictEqual(withPlainBytes(contents))
    }
  })

  test('says without being unpacked which ids and which principal it has, and which events it includes', () => {
    const dice = new Random(8)
    for (let round = 0; round < 500; round++) {
      const principal = dice.pick([...TEXTS, null])
      const named = register('\u0000principal', principal)
      const contents = { ...randomContents(dice), registers: [register('\u0000', 'a'), named, register('b', 'c')] }
      const session = laidDown(contents)

      expect(TEXTS.filter((text) => session.hasPrincipal(text))).toEqual(principal === null ? [] : [principal])
      expect(TEXTS.filter((text) => !session.hasId(text as IdHash))).toEqual(
        TEXTS.filter((text) => contents.ids.every(({ hash }) => hash !== text)),
      )
      expect(session.version()).toEqual(contents.version)
    }
  })

  test('takes little more than its value', () => {
    const registers = [register('name', Buffer.alloc(256, 0xff))]

    expect(packed(BIRTH, contentsOf({ registers }))?.length).toBeLessThan(256 + 50)
  })

  test('takes little more than its values and its id', () => {
    const highest = hlcAt(START) + 3
    const registers = Array.from({ length: 10 }, (_, i) => register(`name${i}`, Buffer.alloc(100, 0xff), { hlc: highest }))
    const ids = [{ hash: 'i'.repeat(22) as IdHash, dot: BIRTH }]
    const [ofName, ofRegister, ofSession] = [6, 2, 40]

    const length = packed(BIRTH, contentsOf({ highest, ids, registers }))?.length
    expect(length).toBeLessThan(10 * (100 + ofName + ofRegister) + ofSession)
  })

  test('says how long it lasts, whether that was changed or not, in seconds or between them', () => {
    for (const maxIdleMs of [1_000, 1_500, 0, Infinity]) {
      for (const now of [maxIdleMs, 2_000, 2_500]) {
        const base = { createdAt: START, maxIdleMs, maxLifeMs: 7_200_001 }
        const registers = now === maxIdleMs ? [] : [register(Reserved.maxIdleMs, now)]
        const session = laidDown(contentsOf({ base, registers, ids: [{ hash: 'id' as IdHash, dot: BIRTH }] }))

        expect(session.lifetimes()).toEqual({ createdAt: START, maxIdleMs: now, maxLifeMs: 7_200_001 })
        expect(session.contents().base).toEqual(base)
        expect(session.hasId('id' as IdHash)).toBe(true)
      }
    }
  })

  test.each<[string, Partial<SessionContents>]>([
    ['its creating event is missing', { base: undefined }],
    ['it remembers removals of ids that are still to come', { removedIds: [BIRTH] }],
    ['it is large', { registers: [register('a', Buffer.alloc(32 * 1024))] }],
    ['an attribute merges', { registers: [register('a', { type: 'counter', epoch: FIRST_EPOCH, entries: [] }, { kind: 1 })] }],
  ])('is none while %s', (_, parts) => {
    expect(packed(BIRTH, contentsOf(parts))).toBeUndefined()
  })
})

/** Views and values made of packed bytes are plain ones, of whatever kind those were that were packed. */
function withPlainBytes(contents: SessionContents): SessionContents {
  const plain = (value: Register['value']): Register['value'] =>
    value instanceof Uint8Array ? new Uint8Array(value) : value
  return { ...contents, registers: contents.registers.map((each) => ({ ...each, value: plain(each.value) })) }
}

/** Sessions of which the newest and two used again stay ready. */
function kept(): { readonly table: SessionTable; readonly make: (counter: number) => SessionState } {
  const table = new SessionTable(2)
  const make = (counter: number): SessionState => {
    const session = table.begin({ actor: 1, counter })
    session.apply(created(counter), new Context())
    session.touch(START, START)
    return session
  }
  return { table, make }
}

function created(counter: number): SessionEvent {
  const dot = { actor: 1, counter }
  const base = { createdAt: START, maxIdleMs: 60_000, maxLifeMs: 90_000 }
  const writes = [{ name: 'a', kind: 0, value: Buffer.from(`${counter}`) }]
  return { type: 'create', dot, birth: dot, hlc: counter, touchedAt: START, base, id: `id-${counter}` as IdHash, writes }
}

function write(session: SessionState, counter: number, value: Extract<Event, { type: 'write' }>['writes'][0]['value']): void {
  const dot = { actor: 1, counter }
  const writes = [{ name: 'b', kind: 0, value }]
  session.apply({ type: 'write', dot, birth: session.birth, hlc: counter, touchedAt: START, writes }, new Context())
}

/** By counter, those that are ready. */
function readyIn(table: SessionTable): readonly number[] {
  return [...table.values()].filter(({ isReady }) => isReady).map(({ birth }) => birth.counter)
}

describe('a session that was not used for long', () => {
  test('is packed when newer ones came, and unpacked by being used', () => {
    const { table, make } = kept()
    const session = make(1)
    expect(session.registers).toHaveLength(1)
    expect(readyIn(table)).toEqual([1])

    make(2)
    expect(readyIn(table)).toEqual([2])
    expect(session.registers).toMatchObject([{ name: 'a', value: new Uint8Array(Buffer.from('1')) }])
    expect(session.highest).toBe(1)
    expect(readyIn(table)).toEqual([1, 2])
  })

  test('stays ready while it is among the last that were used again, however many are new', () => {
    const { table, make } = kept()
    const sessions = [make(1), make(2), make(3), make(4), make(5)]
    const use = (counter: number): void => void sessions[counter - 1]?.registers
    use(1)
    use(2)
    make(6)
    make(7)
    use(1)
    use(2)
    expect(readyIn(table)).toEqual([1, 2, 7])

    use(3)
    use(2)
    expect(readyIn(table)).toEqual([2, 3, 7])
    use(1)
    expect(readyIn(table)).toEqual([1, 3, 7])
  })

  test('says without being unpacked when it ends, and whether a peer lacks anything of it', () => {
    const { table, make } = kept()
    const [session] = [make(1), make(2), make(3)]

    expect(session.isComplete).toBe(true)
    expect(session.expiresAt).toBe(START + 60_000)
    session.touch(START + 50_000, START + 50_000)
    expect(session.expiresAt).toBe(START + 90_000)
    expect(session.maxIdleMs).toBe(60_000)
    expect(session.hasId('id-1' as IdHash)).toBe(true)
    expect(session.isOf('nobody')).toBe(false)
    expect(session.hasNewsFor(new Context())).toBe(true)
    expect(session.hasNewsFor(Context.of([{ actor: 1, base: 1, extra: [] }]))).toBe(false)
    expect(readyIn(table)).toEqual([3])
  })

  test('stays packed when a copy of it is sent to a peer', () => {
    const { table, make } = kept()
    const [session] = [make(1), make(2), make(3)]

    expect(session.fragment()).toMatchObject({ ids: [{ hash: 'id-1' }], registers: [{ name: 'a' }] })

    expect(readyIn(table)).toEqual([3])
  })

  test('is the same through whatever object it is looked at', () => {
    const { table, make } = kept()
    const [early] = [make(1), make(2), make(3), make(4)]
    const [one, other] = [table.get(early.birth), table.get(early.birth)]
    expect(one).not.toBe(other)
    if (one === undefined || other === undefined) throw new Error('it is held')

    write(one, 9, Buffer.from('new'))
    other.touch(START + 5, START + 5)
    early.announcedAt = START + 3

    expect(table.get(early.birth)).toBe(one)
    for (const each of [one, other, early]) {
      expect(each.registers).toMatchObject([{ name: 'a' }, { name: 'b', hlc: 9 }])
      expect([each.touchedAt, each.announcedAt, each.bytes]).toEqual([START + 5, START + 3, 4])
    }
    make(5)
    void [table.get({ actor: 1, counter: 2 })?.registers, table.get({ actor: 1, counter: 3 })?.registers]
    expect(one.isReady).toBe(false)
    expect(other.touchedAt).toBe(START + 5)
    expect(other.announcedAt).toBe(START + 3)
  })

  test('shares its bytes with nobody', () => {
    const { table, make } = kept()
    const [session, second] = [make(1), make(2), make(3)]
    const [copy] = session.fragment().registers
    if (copy?.value instanceof Uint8Array) copy.value.fill(0)
    table.end(second)
    make(4)
    make(5)

    expect(session.registers).toMatchObject([{ value: new Uint8Array(Buffer.from('1')) }])
  })

  test('takes in what a peer sends of it, and keeps that, too', () => {
    const { make } = kept()
    const [session, second, third] = [make(1), make(2), make(3), make(4)]
    const theirs = SessionState.begin(session.birth)
    theirs.merge(session.fragment(), new Context())
    write(theirs, 9, Buffer.from('new'))

    session.merge(theirs.fragment(), new Context())
    void [second.registers, third.registers]

    expect(session.registers).toMatchObject([{ name: 'a' }, { name: 'b', hlc: 9 }])
  })

  test('takes in what changes, and keeps it when it is packed again', () => {
    const { table, make } = kept()
    const [session, second, third] = [make(1), make(2), make(3), make(4)]
    write(session, 9, Buffer.from('new'))
    write(session, 10, 'text')
    void [second.registers, third.registers]
    expect(readyIn(table)).toEqual([2, 3, 4])

    expect(session.registers).toMatchObject([{ name: 'a' }, { name: 'b', value: 'text', hlc: 10 }])
    expect(session.version).toEqual([{ actor: 1, counter: 10 }])
    expect(session.bytes).toBe(5)
  })

  test('is not packed while somebody needs it as it is, and then it is', () => {
    const { table, make } = kept()
    const session = make(1)
    session.pin()
    make(2)
    expect(readyIn(table)).toEqual([1, 2])

    session.unpin()
    expect(readyIn(table)).toEqual([2])
  })

  test('is packed as soon as it can be, when it could not at its time', () => {
    const { table, make } = kept()
    const session = make(1)
    write(session, 9, Buffer.alloc(16 * 1024))
    make(2)
    expect(readyIn(table)).toEqual([1, 2])

    write(session, 10, 'small')
    const [third, fourth] = [make(3), make(4), make(5)]
    void [third.registers, fourth.registers]
    expect(readyIn(table)).toEqual([3, 4, 5])
    expect(session.registers).toMatchObject([{ name: 'a' }, { name: 'b', value: 'small' }])
  })

  test('can be read when it has ended, by who had it then', () => {
    const { table, make } = kept()
    const [session] = [make(1), make(2), make(3)]
    const other = table.get(session.birth)

    table.end(session)

    expect(session.registers).toMatchObject([{ name: 'a' }])
    expect(session.touchedAt).toBe(START)
    expect(() => other?.registers).toThrow('may end meanwhile')
    expect(() => other?.touchedAt).toThrow('may end meanwhile')
    expect(table.get(session.birth)).toBeUndefined()
  })

  test('is found by its handle until it ends, and no other one afterwards', () => {
    const { table, make } = kept()
    const [session] = [make(1), make(2), make(3)]
    expect(table.held(session.handle)?.birth).toEqual(session.birth)

    table.end(session)
    const next = make(4)

    expect(next.slot).toBe(session.slot)
    expect(table.held(session.handle)).toBeUndefined()
    expect(table.held(next.handle)?.birth).toEqual(next.birth)
  })
})
