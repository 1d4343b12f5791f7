import type { SetElement } from '../../session/merged.js'

/** The order of encoded elements: byte by byte, then by length. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const order = (a[i] ?? 0) - (b[i] ?? 0)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** The element with these bytes, in a sorted list. */
export function find(elements: readonly SetElement[], bytes: Uint8Array): SetElement | undefined {
  let low = 0
  let high = elements.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const element = elements[middle]
    const order = element === undefined ? 0 : compareBytes(element.bytes, bytes)
    if (order === 0) return element
    if (order < 0) low = middle + 1
    else high = middle - 1
  }
  return undefined
}

/** Walks two sorted lists side by side; `pick` answers what stays of an element that one or both hold. */
export function walk(
  a: readonly SetElement[],
  b: readonly SetElement[],
  pick: (mine: SetElement | undefined, theirs: SetElement | undefined) => SetElement | undefined,
): readonly SetElement[] {
  const picked: SetElement[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]]
    const order = right === undefined ? -1 : left === undefined ? 1 : compareBytes(left.bytes, right.bytes)
    if (order <= 0) i++
    if (order >= 0) j++
    const element = pick(order <= 0 ? left : undefined, order >= 0 ? right : undefined)
    if (element !== undefined) picked.push(element)
  }
  return picked
}
