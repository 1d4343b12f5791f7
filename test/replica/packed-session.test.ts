import { describe, expect, test } from 'vitest'
import { Context } from '../../src/replica/context.js'
import type { Event, Register } from '../../src/replica/events.js'
import { packed, unpacked, type SessionContents } from '../../src/replica/packed-session.js'
import { SessionState, type SessionEvent } from '../../src/replica/session-state.js'
import { WarmSessions } from '../../src/replica/warm-sessions.js'
import { bytesAsText } from '../../src/session/kept.js'
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
  return { base, highest: 1_000, ids: [], removedIds: [], version: [BIRTH], registers: [], text: undefined, ...parts }
}

function throughText(contents: SessionContents): SessionContents {
  return unpacked(BIRTH, packed(BIRTH, contents, 1_800_000, bytesAsText) ?? 'not packed', bytesAsText)
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
    text: undefined,
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

      expect(throughText(contents)).toStrictEqual({ ...contents, text: expect.any(String) })
    }
  })

  test('shares its bytes with nobody', () => {
    const value = Buffer.from('before')
    const text = packed(BIRTH, contentsOf({ registers: [register('a', value)] }), 0, bytesAsText) ?? ''
    value.fill(0)
    const [first] = unpacked(BIRTH, text, bytesAsText).registers
    if (first?.value instanceof Uint8Array) first.value.fill(0)

    expect(unpacked(BIRTH, text, bytesAsText).registers).toMatchObject([{ value: Buffer.from('before') }])
  })

  test('takes one character per byte and little more', () => {
    const registers = [register('name', Buffer.alloc(256, 0xff))]
    const text = packed(BIRTH, contentsOf({ registers }), 1_800_000, bytesAsText) ?? ''

    expect(text.length).toBeLessThan(256 + 50)
    expect(Buffer.from(text, 'latin1').toString('latin1')).toBe(text)
  })

  test.each<[string, Partial<SessionContents>]>([
    ['its creating event is missing', { base: undefined }],
    ['it remembers removals of ids that are still to come', { removedIds: [BIRTH] }],
    ['it is large', { registers: [register('a', Buffer.alloc(32 * 1024))] }],
    ['an attribute merges', { registers: [register('a', { type: 'counter', epoch: FIRST_EPOCH, entries: [] }, { kind: 1 })] }],
  ])('is none while %s', (_, parts) => {
    expect(packed(BIRTH, contentsOf(parts), 0, bytesAsText)).toBeUndefined()
  })
})

/** Sessions of which the newest and two used again stay ready, and how often one was unpacked. */
function kept(): {
  readonly packings: () => number
  readonly unpackings: () => number
  readonly make: (counter: number) => SessionState
} {
  let packings = 0
  let unpackings = 0
  const toText = (bytes: Uint8Array): string => {
    packings++
    return bytesAsText.toText(bytes)
  }
  const toBytes = (text: string): Uint8Array => {
    unpackings++
    return bytesAsText.toBytes(text)
  }
  const warm = new WarmSessions({ toText, toBytes }, 2)
  const make = (counter: number): SessionState => {
    const session = new SessionState({ actor: 1, counter }, warm)
    warm.begin(session)
    session.apply(created(counter), new Context())
    session.touch(START, START)
    return session
  }
  return { packings: () => packings, unpackings: () => unpackings, make }
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

describe('a session that was not used for long', () => {
  test('is packed when newer ones came, and unpacked by being used', () => {
    const { make, unpackings } = kept()
    const session = make(1)
    expect(session.registers).toHaveLength(1)
    expect(unpackings()).toBe(0)

    make(2)
    expect(session.registers).toMatchObject([{ name: 'a', value: Buffer.from('1') }])
    expect(session.highest).toBe(1)
    expect(unpackings()).toBe(1)
  })

  test('stays ready while it is among the last that were used again, however many are new', () => {
    const { make, unpackings } = kept()
    const sessions = [make(1), make(2), make(3), make(4), make(5)]
    const use = (counter: number): void => void sessions[counter - 1]?.registers
    use(1)
    use(2)
    make(6)
    make(7)
    use(1)
    use(2)
    expect(unpackings()).toBe(2)

    use(3)
    use(2)
    expect(unpackings()).toBe(3)
    use(1)
    expect(unpackings()).toBe(4)
  })

  test('says without being unpacked when it ends, and whether a peer lacks anything of it', () => {
    const { make, unpackings } = kept()
    const [session] = [make(1), make(2), make(3)]

    expect(session.isComplete).toBe(true)
    expect(session.expiresAt).toBe(START + 60_000)
    session.touch(START + 50_000, START + 50_000)
    expect(session.expiresAt).toBe(START + 90_000)
    expect(session.maxIdleMs).toBe(60_000)
    expect(session.hasNewsFor(new Context())).toBe(true)
    expect(session.hasNewsFor(Context.of([{ actor: 1, base: 1, extra: [] }]))).toBe(false)
    expect(unpackings()).toBe(0)
  })

  test('stays packed when a copy of it is sent to a peer', () => {
    const { make, unpackings } = kept()
    const [session] = [make(1), make(2), make(3)]

    expect(session.fragment()).toMatchObject({ ids: [{ hash: 'id-1' }], registers: [{ name: 'a' }] })
    session.fragment()

    expect(unpackings()).toBe(2)
  })

  test('takes in what a peer sends of it, and keeps that, too', () => {
    const { make } = kept()
    const [session, second, third] = [make(1), make(2), make(3), make(4)]
    const theirs = new SessionState(session.birth)
    theirs.merge(session.fragment(), new Context())
    write(theirs, 9, Buffer.from('new'))

    session.merge(theirs.fragment(), new Context())
    void [second.registers, third.registers]

    expect(session.registers).toMatchObject([{ name: 'a' }, { name: 'b', hlc: 9 }])
  })

  test('is packed anew only if it changed', () => {
    const { make, packings } = kept()
    const sessions = [make(1), make(2), make(3), make(4)]
    const before = packings()
    for (const { registers } of [...sessions, ...sessions]) expect(registers).toHaveLength(1)

    expect(packings()).toBe(before)
  })

  test('takes in what changes, and keeps it when it is packed again', () => {
    const { make, unpackings } = kept()
    const [session, second, third] = [make(1), make(2), make(3), make(4)]
    write(session, 9, Buffer.from('new'))
    write(session, 10, 'text')
    expect(unpackings()).toBe(1)
    void [second.registers, third.registers]

    expect(session.registers).toMatchObject([{ name: 'a' }, { name: 'b', value: 'text', hlc: 10 }])
    expect(session.version).toEqual([{ actor: 1, counter: 10 }])
    expect(session.bytes).toBe(5)
    expect(unpackings()).toBe(4)
  })
})
