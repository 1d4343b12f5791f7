import type { Dot } from '../../session/session.js'

/**
 * Joins two lists that hold one item per actor, ascending by actor: of one actor the item of its later event stays.
 * Answers `a` itself when `b` has nothing later.
 */
export function laterByActor<T>(a: readonly T[], b: readonly T[], dotOf: (item: T) => Dot): readonly T[] {
  if (b.every((item) => covers(a, dotOf(item), dotOf))) return a
  const joined: T[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const left = a[i]
    const right = b[j]
    const order = right === undefined ? -1 : left === undefined ? 1 : dotOf(left).actor - dotOf(right).actor
    if (order <= 0) i++
    if (order >= 0) j++
    const isRight = left === undefined || order > 0 || (order === 0 && isLater(right, left, dotOf))
    const later = isRight ? right : left
    if (later !== undefined) joined.push(later)
  }
  return joined
}

/** Whether the list has an item of this event's actor that is not of an earlier event. */
export function covers<T>(list: readonly T[], dot: Dot, dotOf: (item: T) => Dot): boolean {
  return list.some((item) => dotOf(item).actor === dot.actor && dotOf(item).counter >= dot.counter)
}

/** Whether a list of dots, one per actor, has one of this actor that is not earlier. */
export function coversDot(dots: readonly Dot[], dot: Dot): boolean {
  return covers(dots, dot, itself)
}

/** `laterByActor` for dots themselves. */
export function laterDots(a: readonly Dot[], b: readonly Dot[]): readonly Dot[] {
  return laterByActor(a, b, itself)
}

const itself = (dot: Dot): Dot => dot

function isLater<T>(a: T | undefined, b: T, dotOf: (item: T) => Dot): boolean {
  return a !== undefined && dotOf(a).counter > dotOf(b).counter
}
