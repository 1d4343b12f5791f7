import type { Register, RegisterValue, RegisterWrite } from '../replica/events.js'
import type { Change, Epoch, Merged, SetElement } from '../session/merged.js'
import type { Dot } from '../session/session.js'
import type { Fields } from './fields.js'
import type { ActorTable } from './wire-format.js'

/** Attributes as one event writes them. Epochs are told by their difference to the event's `hlc`. */
export function writesOf(writes: readonly RegisterWrite[], hlc: number, actors: ActorTable): Fields {
  const fields: unknown[] = []
  for (const { name, kind, value } of writes) {
    fields.push(name, kind, isPlain(value) ? value : changeOf(value, hlc, actors))
  }
  return fields
}

/** Attributes as a session holds them; times by their difference to the session's `highest`. */
export function registersOf(registers: readonly Register[], highest: number, actors: ActorTable): Fields {
  const fields: unknown[] = []
  for (const { name, kind, value, hlc, dot } of registers) {
    fields.push(name, kind, isPlain(value) ? value : mergedOf(value, highest, actors))
    fields.push(hlc - highest, actors.place(dot.actor), dot.counter)
  }
  return fields
}

export function dotsOf(dots: readonly Dot[], actors: ActorTable): Fields {
  const fields: number[] = []
  for (const { actor, counter } of dots) fields.push(actors.place(actor), counter)
  return fields
}

function changeOf(change: Change, hlc: number, actors: ActorTable): Fields {
  const epoch = epochOf(change.epoch, hlc, actors)
  switch (change.type) {
    case 'counter':
      return [epoch, change.sum]
    case 'max':
      return [epoch, change.value]
    case 'set':
      return [epoch, change.add, elementsOf(change.remove, actors)]
  }
}

function mergedOf(merged: Merged, hlc: number, actors: ActorTable): Fields {
  const epoch = epochOf(merged.epoch, hlc, actors)
  switch (merged.type) {
    case 'counter':
      return [epoch, merged.entries.flatMap(({ dot, sum }) => [actors.place(dot.actor), dot.counter, sum])]
    case 'max': {
      if (merged.top === null) return [epoch]
      const { dot, value } = merged.top
      return [epoch, actors.place(dot.actor), dot.counter, value]
    }
    case 'set': {
      const elements = elementsOf(merged.elements, actors)
      return [epoch, elements, elementsOf(merged.removed, actors), dotsOf(merged.seen, actors)]
    }
  }
}

function epochOf(epoch: Epoch, hlc: number, actors: ActorTable): Fields | null {
  return epoch.hlc === 0 ? null : [epoch.hlc - hlc, actors.place(epoch.dot.actor), epoch.dot.counter]
}

function elementsOf(elements: readonly SetElement[], actors: ActorTable): Fields {
  return elements.flatMap(({ bytes, dots }) => [bytes, dotsOf(dots, actors)])
}

function isPlain(value: RegisterValue | Change | Merged): value is RegisterValue {
  return typeof value !== 'object' || value === null || value instanceof Uint8Array
}
