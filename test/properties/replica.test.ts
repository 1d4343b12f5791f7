import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Context } from '../../src/replica/context.js'
import type { Fragment } from '../../src/replica/events.js'
import { valueBytes } from '../../src/replica/merge/register.js'
import type { Replica } from '../../src/replica/replica.js'
import { ReplicaState } from '../../src/replica/state.js'
import { canonical } from '../replica/mesh.js'
import { expected, held, history, literally, Play, served } from './history.js'

const HISTORIES = Number(process.env['HISTORIES'] ?? 10_000)

describe('replicas under loss, duplication, reordering, cuts and crashes', () => {
  test(`agree after the heal, on exactly what the surviving events say (${HISTORIES} histories)`, () => {
    fc.assert(
      fc.property(history, ({ size, steps }) => {
        const play = new Play(size)
        for (const step of steps) play.step(step)

        play.mesh.heal()

        const [first, ...others] = play.mesh.nodes.map((node) => node.replica)
        if (first === undefined) return
        expect(served(first)).toEqual(expected(first, play.mesh.events))
        for (const session of first.state.live.values()) {
          expect(held(session)).toEqual(literally(session, play.asked))
          expect(session.bytes).toBe(session.registers.reduce((sum, { value }) => sum + valueBytes(value), 0))
        }
        for (const other of others) {
          expect(other.state.context.entries()).toEqual(first.state.context.entries())
          expect(served(other)).toEqual(served(first))
          expect(registersOf(other)).toEqual(registersOf(first))
        }
        for (const replica of [first, ...others]) expect(replica.roster.isReady).toBe(true)
      }),
      { numRuns: HISTORIES },
    )
  })
})

/** Every register in full: what it is made of, not only what it comes to. */
function registersOf(replica: Replica): unknown {
  const sessions = [...replica.state.live.values()].map(({ birth, registers }) => ({ birth, registers }))
  return sessions.sort((a, b) => a.birth.actor - b.birth.actor || a.birth.counter - b.birth.counter)
}

/** Fragments of the sessions that some replicas hold in the middle of a history, with a state to merge them into. */
function fragmentsOf(play: Play): readonly Fragment[] {
  return play.mesh.nodes.flatMap((node) => [...node.replica.state.live.values()].map((session) => session.fragment()))
}

function mergeAll(fragments: readonly Fragment[]): unknown {
  const state = new ReplicaState({ changed: () => {}, ended: () => {} }, 1)
  for (const fragment of fragments) state.merge(fragment, 0)
  return {
    sessions: canonical({ state } as never),
    registers: registersOf({ state } as never),
    context: state.context.entries(),
  }
}

describe('merging fragments', () => {
  test('is commutative, associative and idempotent on states that were reached', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat(1_000)), ({ size, steps }, dice) => {
        const play = new Play(size)
        for (const step of steps.slice(0, 40)) play.step(step)
        const fragments = fragmentsOf(play)
        const shuffled = [...fragments]
        for (let i = shuffled.length - 1; i > 0; i--) {
          const j = (dice.next().value as number) % (i + 1)
          ;[shuffled[i], shuffled[j]] = [shuffled[j] as Fragment, shuffled[i] as Fragment]
        }
        const half = shuffled.length >> 1

        expect(mergeAll(shuffled)).toEqual(mergeAll(fragments))
        expect(mergeAll([...fragments, ...shuffled])).toEqual(mergeAll(fragments))
        expect(mergeAll([...shuffled.slice(half), ...shuffled.slice(0, half)])).toEqual(mergeAll(fragments))
      }),
      { numRuns: 2_000 },
    )
  })
})

const dot = fc.record({ actor: fc.integer({ min: 1, max: 3 }), counter: fc.integer({ min: 1, max: 12 }) })

describe('a causal context', () => {
  test('has exactly what was added, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(dot), fc.array(dot), (dots, others) => {
        const context = new Context()
        for (const one of dots) context.add(one)
        const added = (one: { actor: number; counter: number }): boolean =>
          dots.some((other) => other.actor === one.actor && other.counter === one.counter)

        for (const one of [...dots, ...others]) expect(context.has(one)).toBe(added(one))
        for (const one of others) {
          const upTo = Array.from({ length: one.counter }, (_, i) => ({ actor: one.actor, counter: i + 1 }))
          expect(context.hasUpTo(one.actor, one.counter)).toBe(upTo.every(added))
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('joined is the union, and covers both', () => {
    fc.assert(
      fc.property(fc.array(dot), fc.array(dot), (left, right) => {
        const [a, b, union] = [new Context(), new Context(), new Context()]
        for (const one of left) a.add(one)
        for (const one of right) b.add(one)
        for (const one of [...left, ...right]) union.add(one)

        a.join(b.entries())

        expect(a.entries()).toEqual(union.entries())
        expect(a.covers(b.entries())).toBe(true)
        expect(b.covers(a.entries())).toBe(left.every((one) => b.has(one)))
      }),
      { numRuns: 2_000 },
    )
  })
})
