/**
 * The encoded values of attributes that merge: what a commit writes of a set, and the set itself, made of elements that
 * are encoded one by one. Elements are equal where their bytes are.
 */
import { MsgpackWriter } from './msgpack-writer.js'
import { decodeValue, encodeValue } from './value.js'
import { Ext } from './value-format.js'

/** Elements that a commit adds to a set and takes from it; encoded, ascending by their bytes, each once. */
export interface SetAlteration {
  readonly add: readonly Uint8Array[]
  readonly remove: readonly Uint8Array[]
}

/** The value of an AttributeWrite of kind `set`. */
export function encodeAlteration({ add, remove }: SetAlteration): Uint8Array {
  return encodeValue([add, remove], 'set')
}

/** Undefined: not what encodeAlteration makes. */
export function decodeAlteration(bytes: Uint8Array): SetAlteration | undefined {
  const decoded = decodeValue(bytes)
  if (!decoded.ok || !Array.isArray(decoded.value) || decoded.value.length !== 2) return undefined
  const [add, remove]: unknown[] = decoded.value
  return isListOfBytes(add) && isListOfBytes(remove) ? { add: sortedElements(add), remove: sortedElements(remove) } : undefined
}

/** The encoded elements of a Set or an array, ascending by their bytes, each once. `path` names it in errors. */
export function encodeElements(elements: Iterable<unknown>, path: string): readonly Uint8Array[] {
  return sortedElements(Array.from(elements, (element, i) => encodeValue(element, `${path}[${i}]`)))
}

/** Of sets whose elements are encoded: whoever made those saw to their size. */
const out = new MsgpackWriter(Infinity)

/** The bytes that encodeValue makes of a Set with these elements. */
export function encodeSet(elements: readonly Uint8Array[]): Uint8Array {
  out.arrayHead(elements.length + 1)
  out.marker(Ext.set)
  for (const element of elements) out.raw(element)
  return out.take()
}

/** Elements of `a` that are not in `b`; both ascending. */
export function elementsBeyond(a: readonly Uint8Array[], b: readonly Uint8Array[]): readonly Uint8Array[] {
  let i = 0
  return a.filter((element) => {
    while (i < b.length && Buffer.compare(b[i] ?? element, element) < 0) i++
    return i === b.length || Buffer.compare(b[i] ?? element, element) !== 0
  })
}

/** Ascending by their bytes, each once. */
export function sortedElements(elements: readonly Uint8Array[]): readonly Uint8Array[] {
  const all = [...elements].sort((a, b) => Buffer.compare(a, b))
  return all.filter((element, i) => i === 0 || Buffer.compare(all[i - 1] ?? element, element) !== 0)
}

function isListOfBytes(value: unknown): value is readonly Uint8Array[] {
  return Array.isArray(value) && value.every((element) => element instanceof Uint8Array)
}
