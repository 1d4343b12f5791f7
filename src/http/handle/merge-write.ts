import { AttributeError } from '../../errors.js'
import { decodeAlteration, elementsBeyond, encodeAlteration, encodeElements } from '../../session/merge-value.js'
import { RegisterKind, type AttributeWrite, type MergeKind } from '../../session/session.js'
import { decodeValue, encodeValue } from '../../session/value.js'

/** What a commit writes of an attribute that merges, and the value that it has for this request afterwards. */
export interface MergeWrite {
  readonly write: AttributeWrite
  readonly value: Uint8Array | null
}

/** Throws AttributeError for what cannot merge in this way. */
export function assertMergeable(name: string, kind: MergeKind, value: unknown): void {
  switch (kind) {
    case 'lww':
      return
    case 'counter':
      if (!isNumber(value, Number.MAX_SAFE_INTEGER)) refuse(name, 'counter', 'a number that counting keeps exact')
      return
    case 'max':
      if (!isNumber(value, Number.MAX_VALUE)) refuse(name, 'max', 'a finite number')
      return
    case 'set':
      if (!(value instanceof Set)) refuse(name, 'set', 'a Set')
  }
}

/** What an application gets of a stored value: a list that was kept before its attribute became a set is one now. */
export function asMerging(kind: MergeKind | undefined, value: unknown): unknown {
  return kind === 'set' && Array.isArray(value) ? new Set<unknown>(value) : value
}

/**
 * How an attribute differs from what is stored, as a write that merges with those of others; undefined where it does not.
 * An undefined value removes the attribute.
 */
export function mergeWrite(name: string, kind: MergeKind, value: unknown, stored?: Uint8Array): MergeWrite | undefined {
  if (value === undefined) return stored === undefined ? undefined : writeOf(name, kind, null, null)
  assertMergeable(name, kind, value)
  const encoded = encodeValue(value, name)
  if (stored !== undefined && Buffer.compare(encoded, stored) === 0) return undefined
  const before = stored === undefined ? undefined : decoded(stored)
  const difference = value instanceof Set ? setDifference(name, value, before) : numberDifference(kind, Number(value), before)
  return difference === undefined ? undefined : writeOf(name, kind, difference, encoded)
}

/** What a write comes to where nothing was before it. */
export function valueAlone({ kind, value }: AttributeWrite): unknown {
  if (value === null) return undefined
  if (kind !== RegisterKind.set) return decoded(value)
  return new Set((decodeAlteration(value)?.add ?? []).map(decoded))
}

function writeOf(name: string, kind: MergeKind, change: Uint8Array | null, value: Uint8Array | null): MergeWrite {
  return { write: { name, kind: RegisterKind[kind], value: change }, value }
}

function numberDifference(kind: MergeKind, value: number, before: unknown): Uint8Array | undefined {
  if (kind === 'counter') return encodeValue(value - (isNumber(before, Number.MAX_SAFE_INTEGER) ? before : 0), '')
  return typeof before === 'number' && value <= before ? undefined : encodeValue(value, '')
}

function setDifference(name: string, value: ReadonlySet<unknown>, before: unknown): Uint8Array | undefined {
  const isCollection = before instanceof Set || Array.isArray(before)
  const now = encodeElements(value, name)
  const then = isCollection ? encodeElements(before, name) : []
  const [add, remove] = [elementsBeyond(now, then), elementsBeyond(then, now)]
  return isCollection && add.length === 0 && remove.length === 0 ? undefined : encodeAlteration({ add, remove })
}

function isNumber(value: unknown, max: number): value is number {
  return typeof value === 'number' && Math.abs(value) <= max
}

function refuse(name: string, kind: MergeKind, expected: string): never {
  throw new AttributeError(name, `session.${name} cannot be kept: it merges as ${kind}, so it has to be ${expected}`)
}

function decoded(bytes: Uint8Array): unknown {
  const value = decodeValue(bytes)
  return value.ok ? value.value : undefined
}
