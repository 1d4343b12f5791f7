/**
 * What merging rests on, without a mesh: what a replica holds of an attribute is a function of the writes it includes,
 * whether they came one by one or as what another replica holds.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Register, RegisterIntent, RegisterWrite } from '../../src/replica/events.js'
import { applied, changeFor, isNewTo, joined } from '../../src/replica/merge/register.js'
import type { Intent } from '../../src/session/merged.js'
import { RegisterKind, type Dot } from '../../src/session/session.js'
import { textOf } from '../replica/mesh.js'

const { lww, counter, max, set } = RegisterKind
const ACTORS = [11, 12, 13] as const

interface Written {
  readonly write: RegisterWrite
  readonly dot: Dot
  readonly hlc: number
}

/** An author of writes, and how many of each author's writes it has heard of. */
interface Replica {
  readonly actor: number
  included: readonly number[]
  register: Register | undefined
}

type Step =
  | { readonly type: 'write'; readonly by: number; readonly intent: Omit<RegisterIntent, 'name'> }
  /** Takes in the next write of an author: of one author in order, of several in any. */
  | { readonly type: 'hear'; readonly by: number; readonly of: number }
  /** Takes in all that another replica holds. */
  | { readonly type: 'join'; readonly by: number; readonly of: number }

/** Every write there was, by author; and what each replica made of what it heard. */
class Play {
  readonly writes: Written[][] = ACTORS.map(() => [])
  readonly replicas: Replica[] = ACTORS.map((actor) => ({ actor, included: [0, 0, 0], register: undefined }))
  #hlc = 0

  step(step: Step): void {
    const replica = this.replicas[step.by]
    if (replica === undefined) return
    switch (step.type) {
      case 'write': {
        const own = { hlc: ++this.#hlc, dot: { actor: replica.actor, counter: (this.writes[step.by]?.length ?? 0) + 1 } }
        const write = changeFor({ name: 'x', ...step.intent }, replica.register, own)
        this.writes[step.by]?.push({ write, ...own })
        replica.register = applied(replica.register, write, own)
        replica.included = replica.included.with(step.by, own.dot.counter)
        return
      }
      case 'hear': {
        const next = this.writes[step.of]?.[replica.included[step.of] ?? 0]
        if (next === undefined) return
        replica.register = applied(replica.register, next.write, next)
        replica.included = replica.included.with(step.of, next.dot.counter)
        return
      }
      case 'join': {
        const from = this.replicas[step.of]
        if (from?.register !== undefined) replica.register = joined(replica.register, from.register)
        replica.included = replica.included.map((count, i) => Math.max(count, from?.included[i] ?? 0))
      }
    }
  }

  /** What a replica that heard so many writes of each author holds, taken in author by author. */
  folded(included: readonly number[]): Register | undefined {
    let register: Register | undefined
    included.forEach((count, of) => {
      for (const { write, ...at } of this.writes[of]?.slice(0, count) ?? []) register = applied(register, write, at)
    })
    return register
  }
}

const byte = fc.nat(3).map((n) => Uint8Array.of(n))
const bytes = fc.uniqueArray(byte, { selector: String, maxLength: 2 }).map((all) => all.sort((a, b) => Number(a[0]) - Number(b[0])))
const sum = fc.record({ type: fc.constant('counter' as const), add: fc.integer({ min: -3, max: 3 }) })
const top = fc.record({ type: fc.constant('max' as const), value: fc.integer({ min: -3, max: 3 }) })
const elements = fc
  .record({ type: fc.constant('set' as const), add: bytes, remove: bytes })
  .map(({ type, add, remove }) => ({ type, add, remove: remove.filter(([one]) => !add.some(([other]) => one === other)) }))

const ofKind = (kind: number, value: fc.Arbitrary<Intent | Uint8Array | null>): fc.Arbitrary<Omit<RegisterIntent, 'name'>> => {
  return fc.record({ kind: fc.constant(kind), value })
}
const mixed = fc.oneof(
  ofKind(counter, sum),
  ofKind(max, top),
  ofKind(set, elements),
  ofKind(lww, fc.oneof(byte, fc.constant(null))),
  ofKind(counter, fc.constant(null)),
  ofKind(max, fc.constant(null)),
  ofKind(set, fc.constant(null)),
)

function stepsOf(intent: fc.Arbitrary<Omit<RegisterIntent, 'name'>>): fc.Arbitrary<Step[]> {
  const by = fc.nat(2)
  return fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ type: fc.constant('write' as const), by, intent }) },
      { weight: 5, arbitrary: fc.record({ type: fc.constant('hear' as const), by, of: by }) },
      { weight: 2, arbitrary: fc.record({ type: fc.constant('join' as const), by, of: by }) },
    ),
    { minLength: 5, maxLength: 40 },
  )
}

const KINDS = [
  ['counters', ofKind(counter, fc.oneof({ weight: 8, arbitrary: sum }, { weight: 1, arbitrary: fc.constant(null) }))],
  ['maxima', ofKind(max, fc.oneof({ weight: 8, arbitrary: top }, { weight: 1, arbitrary: fc.constant(null) }))],
  ['sets', ofKind(set, fc.oneof({ weight: 20, arbitrary: elements }, { weight: 1, arbitrary: fc.constant(null) }))],
  ['all kinds in turn', mixed],
] as const

describe.each(KINDS)('%s', (_, intent) => {
  test('come to what their writes say, in whatever order and form they arrive', () => {
    fc.assert(
      fc.property(stepsOf(intent), (steps) => {
        const play = new Play()
        for (const step of steps) {
          play.step(step)
          const replica = play.replicas[step.by]
          expect(replica?.register).toEqual(play.folded(replica?.included ?? []))
        }
      }),
      { numRuns: 3_000 },
    )
  })

  test('join in any order and grouping to the same, and twice is once', () => {
    fc.assert(
      fc.property(stepsOf(intent), (steps) => {
        const play = new Play()
        for (const step of steps) play.step(step)
        const [a, b, c] = play.replicas.flatMap(({ register }) => register ?? [])
        if (a === undefined || b === undefined) return

        expect(joined(a, b)).toEqual(joined(b, a))
        expect(joined(a, a)).toBe(a)
        expect(joined(joined(a, b), b)).toEqual(joined(a, b))
        if (c !== undefined) expect(joined(joined(a, b), c)).toEqual(joined(a, joined(b, c)))
      }),
      { numRuns: 3_000 },
    )
  })

  test('are sent to whoever lacks a write that counts, and to nobody who has all', () => {
    fc.assert(
      fc.property(stepsOf(intent), (steps) => {
        const play = new Play()
        for (const step of steps) play.step(step)
        const [mine, theirs] = play.replicas
        if (mine?.register === undefined || theirs === undefined) return
        const has = ({ included }: Replica) => (dot: Dot): boolean => {
          return dot.counter <= (included[ACTORS.findIndex((actor) => actor === dot.actor)] ?? 0)
        }

        expect(isNewTo(mine.register, { has: has(mine) })).toBe(false)
        if (!isNewTo(mine.register, { has: has(theirs) })) {
          expect(joined(theirs.register, mine.register)).toEqual(theirs.register)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

test('a counter is the sum of all that was added', () => {
  fc.assert(
    fc.property(stepsOf(ofKind(counter, sum)), (steps) => {
      const play = new Play()
      for (const step of steps) play.step(step)
      const added = ACTORS.map((_, by) => {
        return steps.flatMap((step) => {
          if (step.type !== 'write' || step.by !== by) return []
          const { value } = step.intent
          return typeof value === 'object' && value !== null && 'add' in value ? [Number(value.add)] : []
        })
      })
      for (const { included, register } of play.replicas) {
        const total = added.flatMap((all, of) => all.slice(0, included[of])).reduce((sums, one) => sums + one, 0)
        if (register !== undefined) expect(Number(textOf(register.value))).toBe(total)
      }
    }),
    { numRuns: 3_000 },
  )
})

test('a maximum is the greatest of the numbers that were written', () => {
  fc.assert(
    fc.property(stepsOf(ofKind(max, top)), (steps) => {
      const play = new Play()
      for (const step of steps) play.step(step)
      for (const { included, register } of play.replicas) {
        const writes = play.writes.flatMap((all, of) => all.slice(0, included[of]))
        const numbers = writes.flatMap(({ write: { value } }) => {
          return typeof value === 'object' && value !== null && 'value' in value ? [value.value] : []
        })
        if (register !== undefined) expect(textOf(register.value)).toBe(String(Math.max(...numbers)))
      }
    }),
    { numRuns: 3_000 },
  )
})

test('a set remembers no removal longer than until what it removes is here', () => {
  fc.assert(
    fc.property(stepsOf(ofKind(set, elements)), fc.boolean(), (steps, joins) => {
      const play = new Play()
      for (const step of steps) play.step(step)
      const [last] = play.replicas
      const all = play.writes.map((writes) => writes.length)
      while (!joins && last !== undefined && last.included.some((count, i) => count < (all[i] ?? 0))) {
        for (const of of [2, 1, 0]) play.step({ type: 'hear', by: 0, of })
      }
      if (joins) for (const of of [1, 2]) play.step({ type: 'join', by: 0, of })
      if (last?.register !== undefined) expect(last.register.value).toMatchObject({ type: 'set', removed: [] })
    }),
    { numRuns: 3_000 },
  )
})

describe('a write of another kind', () => {
  const write = (held: Register | undefined, hlc: number, intent: Omit<RegisterIntent, 'name'>): Register => {
    const own = { hlc, dot: { actor: 11, counter: hlc } }
    return applied(held, changeFor({ name: 'x', ...intent }, held, own), own)
  }

  test('replaces what was there, and what others add to that meanwhile', () => {
    const five = write(undefined, 1, { kind: counter, value: { type: 'counter', add: 5 } })
    const tags = write(five, 2, { kind: set, value: { type: 'set', add: [Uint8Array.of(7)], remove: [] } })
    const own = { hlc: 3, dot: { actor: 12, counter: 1 } }
    const late = applied(five, changeFor({ name: 'x', kind: counter, value: { type: 'counter', add: 1 } }, five, own), own)
    const again = write(tags, 4, { kind: counter, value: { type: 'counter', add: 1 } })

    expect(textOf(late.value)).toBe('6')
    expect(textOf(tags.value)).toBe('{7}')
    expect(joined(late, tags)).toEqual(tags)
    expect(joined(tags, late)).toEqual(tags)
    expect(textOf(again.value)).toBe('1')
    expect(joined(joined(late, tags), again)).toEqual(again)
  })

  test('written at the same time as another first one, the kind with the greater number stays', () => {
    const sums = write(undefined, 9, { kind: counter, value: { type: 'counter', add: 5 } })
    const tags = write(undefined, 2, { kind: set, value: { type: 'set', add: [], remove: [] } })

    expect(joined(sums, tags)).toEqual(tags)
    expect(joined(tags, sums)).toEqual(tags)
  })

  test('that nobody knows is carried like any plain value', () => {
    const old = applied(undefined, { name: 'x', kind: 9, value: Uint8Array.of(1) }, { hlc: 1, dot: { actor: 11, counter: 1 } })
    const later = applied(old, { name: 'x', kind: 9, value: Uint8Array.of(2) }, { hlc: 2, dot: { actor: 11, counter: 2 } })

    expect(joined(old, later)).toEqual(later)
    expect(later).toMatchObject({ kind: 9, value: Uint8Array.of(2) })
  })
})
