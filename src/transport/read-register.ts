import type { Register, RegisterValue, RegisterWrite } from '../replica/events.js'
import { FIRST_EPOCH, type Change, type Epoch, type Merged, type SetElement } from '../session/merged.js'
import { RegisterKind, type Dot } from '../session/session.js'
import { count, type Fields, list, ownBytes, refuseField, rows, sum, text } from './fields.js'
import { MAX_NAME_CHARS, MAX_TEXT_CHARS } from './limits.js'
import { type Actors, dotAt, readDots } from './read-dots.js'

/** Attributes as one event writes them. */
export function readWrites(items: Fields, hlc: number, actors: Actors): RegisterWrite[] {
  return rows(items, 3, 'writes', (row, at) => {
    const kind = kindAt(row, at + 1)
    const value = row[at + 2]
    const merges = MERGING.has(kind) && Array.isArray(value)
    const change = merges ? readChange(kind, value, hlc, actors) : plainValue(kind, value)
    return { name: nameAt(row, at), kind, value: change }
  })
}

/** Attributes as a session holds them. */
export function readRegisters(items: Fields, highest: number, actors: Actors): Register[] {
  return rows(items, 6, 'registers', (row, at) => {
    const kind = kindAt(row, at + 1)
    // Of a kind that merges never null: once removed, it says when.
    const merged = MERGING.has(kind)
      ? readMerged(kind, list(row, at + 2, 'value'), highest, actors)
      : plainValue(kind, row[at + 2])
    const hlc = sum(highest, row, at + 3, 'hlc')
    return { name: nameAt(row, at), kind, value: merged, hlc, dot: dotAt(row, at + 4, actors) }
  })
}

const MERGING: ReadonlySet<number> = new Set([RegisterKind.counter, RegisterKind.max, RegisterKind.set])

function kindAt(items: Fields, at: number): number {
  const kind = count(items, at, 'kind')
  return kind <= 0xff ? kind : refuseField('kind')
}

/** A NUL in front marks a reserved register; no name holds any other control character. */
// oxlint-disable-next-line no-control-regex
const NAME = /^\0?[^\u0000-\u001f\u007f]+$/

function nameAt(items: Fields, at: number): string {
  const name = text(items, at, MAX_NAME_CHARS, 'name')
  return NAME.test(name) ? name : refuseField('name')
}

/** The value of a kind that replaces; of one that merges only null. */
function plainValue(kind: number, value: unknown): RegisterValue {
  if (value === null) return null
  if (MERGING.has(kind)) return refuseField('value')
  if (value instanceof Uint8Array) return ownBytes(value, 'value')
  if (typeof value === 'string' && value.length <= MAX_TEXT_CHARS) return value
  if (typeof value === 'number' && !Number.isNaN(value)) return value
  return refuseField('value')
}

function readChange(kind: number, fields: Fields, hlc: number, actors: Actors): Change {
  const epoch = readEpoch(fields, hlc, actors)
  switch (kind) {
    case RegisterKind.counter:
      return { type: 'counter', epoch, sum: finite(fields, 1) }
    case RegisterKind.max:
      return { type: 'max', epoch, value: finite(fields, 1) }
    case RegisterKind.set: {
      const add = list(fields, 1, 'value').map(elementBytes)
      if (add.some((bytes, i) => i > 0 && !isAscending(add[i - 1], bytes))) refuseField('value')
      return { type: 'set', epoch, add, remove: readElements(list(fields, 2, 'value'), actors) }
    }
    default:
      return refuseField('value')
  }
}

function readMerged(kind: number, fields: Fields, hlc: number, actors: Actors): Merged {
  const epoch = readEpoch(fields, hlc, actors)
  switch (kind) {
    case RegisterKind.counter: {
      const entries = rows(list(fields, 1, 'value'), 3, 'value', (row, at) => ({
        dot: dotAt(row, at, actors),
        sum: finite(row, at + 2),
      }))
      assertByActor(entries.map(({ dot }) => dot))
      return { type: 'counter', epoch, entries }
    }
    case RegisterKind.max: {
      if (fields.length === 1) return { type: 'max', epoch, top: null }
      return { type: 'max', epoch, top: { dot: dotAt(fields, 1, actors), value: finite(fields, 3) } }
    }
    case RegisterKind.set:
      return {
        type: 'set',
        epoch,
        elements: readElements(list(fields, 1, 'value'), actors),
        removed: readElements(list(fields, 2, 'value'), actors),
        seen: readByActor(list(fields, 3, 'value'), actors),
      }
    default:
      return refuseField('value')
  }
}

/** The first field of every value that merges. */
function readEpoch(fields: Fields, hlc: number, actors: Actors): Epoch {
  if (fields[0] === null) return FIRST_EPOCH
  const epoch = list(fields, 0, 'epoch')
  const began = sum(hlc, epoch, 0, 'epoch')
  return began > 0 ? { hlc: began, dot: dotAt(epoch, 1, actors) } : refuseField('epoch')
}

/** Elements with their additions, at least one each; ascending, each once. */
function readElements(items: Fields, actors: Actors): SetElement[] {
  const elements = rows(items, 2, 'value', (row, at): SetElement => {
    const dots = readByActor(list(row, at + 1, 'value'), actors)
    return dots.length > 0 ? { bytes: elementBytes(row[at]), dots } : refuseField('value')
  })
  if (elements.some(({ bytes }, i) => i > 0 && !isAscending(elements[i - 1]?.bytes, bytes))) refuseField('value')
  return elements
}

function readByActor(items: Fields, actors: Actors): Dot[] {
  const dots = readDots(items, actors)
  assertByActor(dots)
  return dots
}

/** One per actor, ascending by it. */
function assertByActor(dots: readonly Dot[]): void {
  let last = -1
  for (const { actor } of dots) {
    if (actor <= last) refuseField('value')
    last = actor
  }
}

function elementBytes(value: unknown): Uint8Array {
  return value instanceof Uint8Array && value.length > 0 ? ownBytes(value, 'value') : refuseField('value')
}

function isAscending(before: Uint8Array | undefined, bytes: Uint8Array): boolean {
  return before !== undefined && Buffer.compare(before, bytes) < 0
}

function finite(fields: Fields, at: number): number {
  const value = fields[at]
  return typeof value === 'number' && Number.isFinite(value) ? value : refuseField('value')
}
