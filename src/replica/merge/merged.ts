import { type Change, type Epoch, type Intent, type Merged, type SetElement } from '../../session/merged.js'
import { RegisterKind, type Dot } from '../../session/session.js'
import { addition, counterAfter, dotsOfCounter, joinCounters, newCounter } from './counter.js'
import { dotsOfMax, joinMax, maxAfter, newMax } from './max.js'
import { alteration, applyToSet, dotsOfSet, joinSets, newSet } from './set.js'

/** What every kind can do, whichever it is: the one place that tells them apart. */

/** The state of an attribute of this kind when its epoch begins: removed, or never written. Undefined: not merging. */
export function begin(kind: number, epoch: Epoch): Merged | undefined {
  switch (kind) {
    case RegisterKind.counter:
      return newCounter(epoch)
    case RegisterKind.max:
      return newMax(epoch)
    case RegisterKind.set:
      return newSet(epoch)
    default:
      return undefined
  }
}

/** The change that an intent is for whoever holds `state`. */
export function changeOf(intent: Intent, state: Merged, actor: number): Change {
  if (intent.type === 'counter' && state.type === 'counter') return addition(state, intent.add, actor)
  if (intent.type === 'max') return { type: 'max', epoch: state.epoch, value: intent.value }
  if (intent.type === 'set' && state.type === 'set') return alteration(state, intent.add, intent.remove)
  throw new TypeError(`a ${intent.type} is not written into a ${state.type}`)
}

/** Takes in one event of the same kind and epoch that is not included yet. */
export function applyTo(state: Merged, change: Change, dot: Dot): Merged {
  switch (change.type) {
    case 'counter':
      return join(state, counterAfter(change, dot))
    case 'max':
      return join(state, maxAfter(change, dot))
    case 'set':
      return state.type === 'set' ? applyToSet(state, change, dot) : state
  }
}

/** Joins two states of the same kind and epoch. Answers `a` itself when `b` has nothing new. */
export function join(a: Merged, b: Merged): Merged {
  if (a.type === 'counter' && b.type === 'counter') return joinCounters(a, b)
  if (a.type === 'max' && b.type === 'max') return joinMax(a, b)
  if (a.type === 'set' && b.type === 'set') return joinSets(a, b)
  return a
}

/** The last event of every actor that counts: whoever has them all lacks nothing, its epoch included. */
export function dotsOf(state: Merged): readonly Dot[] {
  switch (state.type) {
    case 'counter':
      return dotsOfCounter(state)
    case 'max':
      return dotsOfMax(state)
    case 'set':
      return dotsOfSet(state)
  }
}

/** Whether the attribute is there; else it was removed. */
export function isPresent(state: Merged): boolean {
  return dotsOf(state).length > 0
}

/** What it takes in memory and in a message, about. */
export function bytesOf(value: Merged | Change | Intent): number {
  switch (value.type) {
    case 'counter':
      return 'entries' in value ? value.entries.length * 24 : 16
    case 'max':
      return 'top' in value && value.top === null ? 0 : 24
    case 'set':
      if ('elements' in value) return elementBytes(value.elements) + elementBytes(value.removed) + value.seen.length * 16
      return value.add.reduce((sum, { length }) => sum + length, 16)
  }
}

function elementBytes(elements: readonly SetElement[]): number {
  return elements.reduce((sum, { bytes, dots }) => sum + bytes.length + dots.length * 16, 0)
}
