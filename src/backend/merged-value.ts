import { AttributeError } from '../errors.js'
import {
  decodeAlteration, elementsBeyond, encodeElements, encodeSet, sortedElements, type SetAlteration,
} from '../session/merge-value.js'
import type { Intent, Merged } from '../session/merged.js'
import { RegisterKind, type AttributeWrite } from '../session/session.js'
import { decodeValue, encodeValue } from '../session/value.js'
import type { PortableRegister } from './backend.js'

/** By state, which never changes: an attribute is encoded once, however many requests read it. */
const encoded = new WeakMap<Merged, Uint8Array>()

/** An attribute as a request reads it: a number, or a Set; undefined where it was removed. */
export function encodeMerged(merged: Merged): Uint8Array | undefined {
  const known = encoded.get(merged)
  if (known !== undefined) return known
  const bytes = encode(merged)
  if (bytes !== undefined) encoded.set(merged, bytes)
  return bytes
}

function encode(merged: Merged): Uint8Array | undefined {
  switch (merged.type) {
    case 'counter':
      if (merged.entries.length === 0) return undefined
      // The same order of actors everywhere, so that fractions come to the same everywhere.
      return encodeValue(merged.entries.reduce((sum, entry) => sum + entry.sum, 0), '')
    case 'max':
      return merged.top === null ? undefined : encodeValue(merged.top.value, '')
    case 'set':
      return merged.seen.length === 0 ? undefined : encodeSet(merged.elements.map((element) => element.bytes))
  }
}

/** A session's register as it travels, whose `value` may be a state that merges. */
export function portableRegister({ value, ...register }: Mergeable): PortableRegister {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return { ...register, value }
  return { ...register, value: encodeMerged(value) ?? null, merged: value }
}

/** What came of it. A value of a merging kind that does not say what it is made of can only be replaced. */
export function mergeableRegister({ merged, ...register }: PortableRegister): Mergeable {
  if (merged !== undefined) return { ...register, value: merged }
  return MERGING.has(register.kind) ? { ...register, kind: RegisterKind.lww } : register
}

/** A register as a backend holds it that merges. */
export interface Mergeable extends Omit<PortableRegister, 'value' | 'merged'> {
  readonly value: PortableRegister['value'] | Merged
}

const MERGING: ReadonlySet<number> = new Set([RegisterKind.counter, RegisterKind.max, RegisterKind.set])

/**
 * What a request's write asks for; undefined where it replaces or removes. `replaced`: the encoded value of another kind
 * that it takes the place of. What that held goes on to count, so that `merge` can be configured for sessions that live.
 */
export function intentOf(write: AttributeWrite, replaced: Uint8Array | undefined): Intent | undefined {
  const { name, kind, value } = write
  if (value === null) return undefined
  const before = replaced === undefined ? undefined : decoded(replaced)
  switch (kind) {
    case RegisterKind.counter:
      return { type: 'counter', add: numberIn(write, value) + (isUpTo(COUNTABLE_MAX, before) ? before : 0) }
    case RegisterKind.max:
      return { type: 'max', value: Math.max(numberIn(write, value), isUpTo(Number.MAX_VALUE, before) ? before : -Infinity) }
    case RegisterKind.set: {
      const { add, remove } = alterationIn(name, value)
      const kept = elementsBeyond(isCollection(before) ? encodeElements(before, name) : [], remove)
      return { type: 'set', add: sortedElements([...kept, ...add]), remove }
    }
    default:
      return undefined
  }
}

function numberIn({ name, kind }: AttributeWrite, value: Uint8Array): number {
  const number = decoded(value)
  const limit = kind === RegisterKind.counter ? COUNTABLE_MAX : Number.MAX_VALUE
  if (isUpTo(limit, number)) return number
  throw new AttributeError(name, `session.${name} cannot be kept: it merges as a number, and is none`)
}

/** The difference of two safe integers: sums of it stay finite on every node, however many. */
const COUNTABLE_MAX = 2 * Number.MAX_SAFE_INTEGER

function isUpTo(limit: number, value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= limit
}

function alterationIn(name: string, value: Uint8Array): SetAlteration {
  const alteration = decodeAlteration(value)
  if (alteration !== undefined) return alteration
  throw new AttributeError(name, `session.${name} cannot be kept: it merges as a set, and is no change of one`)
}

function decoded(bytes: Uint8Array): unknown {
  const value = decodeValue(bytes)
  return value.ok ? value.value : undefined
}

function isCollection(value: unknown): value is Iterable<unknown> {
  return value instanceof Set || Array.isArray(value)
}
