import type { CounterChange, CounterEntry, CounterState, Epoch } from '../../session/merged.js'
import type { Dot } from '../../session/session.js'
import { laterByActor } from './by-actor.js'

/**
 * A number that every actor adds to: one sum per actor, which only that actor moves (PN-counter, Shapiro et al. 2011,
 * with signed sums). An actor's events arrive in order, so its later sum includes its earlier one.
 */
export function newCounter(epoch: Epoch): CounterState {
  return { type: 'counter', epoch, entries: [] }
}

/** The change that an addition by `actor` is, given what it holds. */
export function addition({ epoch, entries }: CounterState, add: number, actor: number): CounterChange {
  const before = entries.find(({ dot }) => dot.actor === actor)?.sum ?? 0
  return { type: 'counter', epoch, sum: before + add }
}

/** A change as a state, to be joined. */
export function counterAfter({ epoch, sum }: CounterChange, dot: Dot): CounterState {
  return { type: 'counter', epoch, entries: [{ dot, sum }] }
}

/** Both of one epoch. Answers `a` itself when `b` has nothing new. */
export function joinCounters(a: CounterState, b: CounterState): CounterState {
  const entries = laterByActor(a.entries, b.entries, dotOf)
  return entries === a.entries ? a : { ...a, entries }
}

/** The last event of every actor that the state includes. */
export function dotsOfCounter({ entries }: CounterState): readonly Dot[] {
  return entries.map(dotOf)
}

const dotOf = (entry: CounterEntry): Dot => entry.dot
