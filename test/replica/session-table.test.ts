import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Context } from '../../src/replica/context.js'
import { PrincipalTable } from '../../src/replica/sessions/principal-table.js'
import type { SessionState } from '../../src/replica/sessions/session-state.js'
import { SessionTable } from '../../src/replica/sessions/session-table.js'
import { RegisterKind, type Dot, type IdHash } from '../../src/session/session.js'

const START = Date.UTC(2026, 0, 1)
const PRINCIPALS = ['anna', 'bert', 'cleo'] as const

function begin(table: SessionTable, birth: Dot): SessionState {
  const session = table.begin(birth)
  const base = { createdAt: START, maxIdleMs: 60_000, maxLifeMs: Infinity }
  const id = `id-${birth.actor}-${birth.counter}` as IdHash
  session.apply({ type: 'create', dot: birth, birth, hlc: 1, touchedAt: START, base, id, writes: [] }, new Context())
  return session
}

function setPrincipal(session: SessionState, counter: number, principal: string | null): void {
  const dot = { actor: 99, counter }
  const writes = [{ name: '\u0000principal', kind: RegisterKind.lww, value: principal }]
  session.apply(
    { type: 'write', dot, birth: session.birth, hlc: counter, touchedAt: START, writes },
    new Context(),
  )
}

interface Step {
  readonly actor: number
  readonly counter: number
  readonly what: 'begin' | 'end' | 'look' | (typeof PRINCIPALS)[number] | 'nobody'
}

const steps = fc.array(
  fc.record({
    actor: fc.constantFrom(1, 2, 2 ** 52 + 1),
    counter: fc.integer({ min: 1, max: 12 }),
    what: fc.constantFrom('begin', 'begin', 'begin', 'end', 'look', ...PRINCIPALS, 'nobody') satisfies fc.Arbitrary<Step['what']>,
  }),
  { maxLength: 200 },
)

/** What is held, in the order in which a map of maps holds it, and who has whom in the order in which a set does. */
class Expected {
  readonly actors = new Map<number, Set<number>>()
  readonly of = new Map<string, Set<string>>(PRINCIPALS.map((principal) => [principal, new Set()]))

  principalOf(key: string): string | undefined {
    return PRINCIPALS.find((principal) => this.of.get(principal)?.has(key))
  }
}

function textOf({ actor, counter }: Dot): string {
  return `${actor}:${counter}`
}

class Played {
  readonly table = new SessionTable(2)
  readonly principals = new PrincipalTable(this.table, 5)
  readonly expected = new Expected()
  #events = 0

  do({ actor, counter, what }: Step): void {
    const birth = { actor, counter }
    const held = this.table.get(birth)
    expect(held !== undefined).toBe(this.expected.actors.get(actor)?.has(counter) === true)
    if (held === undefined) return what === 'begin' ? this.#begin(birth) : undefined
    if (what === 'end') this.#end(held)
    else if (what === 'look') expect(held.ids).toHaveLength(1)
    else if (what !== 'begin') this.#set(held, what === 'nobody' ? null : what)
  }

  check(): void {
    const births = [...this.expected.actors].flatMap(([actor, counters]) => [...counters].map((counter) => ({ actor, counter })))
    expect(Array.from(this.table.values(), ({ birth }) => birth)).toEqual(births)
    expect(this.table.size).toBe(births.length)
    for (const principal of PRINCIPALS) {
      const found = Array.from(this.principals.of(principal), (slot) => textOf(this.table.birthAt(slot)))
      expect(found).toEqual([...(this.expected.of.get(principal) ?? [])])
    }
  }

  #begin(birth: Dot): void {
    begin(this.table, birth)
    const counters = this.expected.actors.get(birth.actor) ?? new Set()
    this.expected.actors.set(birth.actor, counters.add(birth.counter))
  }

  #end(session: SessionState): void {
    this.#set(session, null)
    this.table.end(session)
    const counters = this.expected.actors.get(session.birth.actor)
    counters?.delete(session.birth.counter)
    if (counters?.size === 0) this.expected.actors.delete(session.birth.actor)
  }

  #set(session: SessionState, principal: string | null): void {
    const key = textOf(session.birth)
    const before = this.expected.principalOf(key)
    if (before === (principal ?? undefined)) return
    setPrincipal(session, ++this.#events, principal)
    if (before !== undefined) this.principals.unlink(before, session.slot)
    if (before !== undefined) this.expected.of.get(before)?.delete(key)
    if (principal !== null) this.principals.link(principal, session.slot)
    if (principal !== null) this.expected.of.get(principal)?.add(key)
  }
}

describe('the table of sessions', () => {
  test('holds what maps would hold, in their order, however sessions begin, end, and change hands', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const played = new Played()
        for (const step of all) {
          played.do(step)
          played.check()
        }
      }),
      { numRuns: 100 },
    )
  })

  test('takes nothing for sessions that ended, and uses their slots again', () => {
    const table = new SessionTable(16)
    const round = (actor: number): void => {
      for (let counter = 1; counter <= 5_000; counter++) begin(table, { actor, counter })
      for (const session of Array.from(table.values())) table.end(session)
    }
    round(1)
    const { slots, bytes } = table.taken
    round(2)
    round(3)

    expect(table.size).toBe(0)
    expect(slots).toBe(5_000)
    expect(table.taken).toEqual({ slots, bytes, ready: 0 })
    expect(bytes).toBeLessThan(64 * 1024)
  })

  test('keeps as objects only those in use, however many there are', () => {
    const table = new SessionTable(16)
    for (let counter = 1; counter <= 5_000; counter++) begin(table, { actor: 1, counter })
    for (let counter = 1; counter <= 1_000; counter++) expect(table.get({ actor: 1, counter })?.ids).toHaveLength(1)

    expect(table.taken.ready).toBe(17)
  })
})
