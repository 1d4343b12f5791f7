import type { Epoch, SetChange, SetElement, SetState } from '../../session/merged.js'
import type { Dot } from '../../session/session.js'
import { coversDot, laterDots } from './by-actor.js'
import { find, walk } from './elements.js'

/**
 * A set in which an addition wins over a removal that has not seen it (observed-remove set without tombstones,
 * Bieniusa et al. 2012). `seen` is its causal context: an element that the other side has seen and does not hold was
 * removed there. Per element and actor only the last addition is kept, so a removal of it is one of the earlier ones.
 */
export function newSet(epoch: Epoch): SetState {
  return { type: 'set', epoch, elements: [], removed: [], seen: [] }
}

/** The change that adding and removing elements is, given what is held: what is removed are the additions seen here. */
export function alteration(
  { epoch, elements }: SetState,
  add: readonly Uint8Array[],
  remove: readonly Uint8Array[],
): SetChange {
  const held = remove.map((bytes) => find(elements, bytes)).filter((element) => element !== undefined)
  return { type: 'set', epoch, add, remove: held }
}

/** Takes in one event that is not included yet, of the same epoch; events of one actor in their order. */
export function applyToSet(state: SetState, change: SetChange, dot: Dot): SetState {
  const kept = state.elements.flatMap((element) => without(element, find(change.remove, element.bytes)?.dots))
  const added = change.add.map((bytes): SetElement => ({ bytes, dots: [dot] }))
  const elements = walk(kept, added, (mine, theirs) => {
    if (mine === undefined || theirs === undefined) return fresh(theirs, state.removed) ?? mine
    return { bytes: mine.bytes, dots: laterDots(mine.dots, fresh(theirs, state.removed)?.dots ?? []) }
  })
  const seen = laterDots(state.seen, [dot])
  return { ...state, elements, seen, removed: open(state.removed, change.remove, seen) }
}

/** Both of one epoch. Answers `a` itself when `b` has nothing new. */
export function joinSets(a: SetState, b: SetState): SetState {
  const seen = laterDots(a.seen, b.seen)
  // What one has seen says what it holds: whoever has seen less has nothing to add.
  if (seen === a.seen) return a
  if (laterDots(b.seen, a.seen) === b.seen) return b
  const elements = walk(a.elements, b.elements, (mine, theirs) => {
    const bytes = (mine ?? theirs)?.bytes
    if (bytes === undefined) return undefined
    const ours = surviving(mine, theirs, b)
    const dots = laterDots(ours, surviving(theirs, mine, a))
    return dots.length === 0 ? undefined : { bytes, dots }
  })
  return { ...a, elements, seen, removed: open(a.removed, b.removed, seen) }
}

/** The last event of every actor that the state includes. */
export function dotsOfSet({ seen }: SetState): readonly Dot[] {
  return seen
}

/** The additions of one side that the other one holds too, or has not seen and not removed. */
function surviving(mine: SetElement | undefined, theirs: SetElement | undefined, other: SetState): readonly Dot[] {
  if (mine === undefined) return []
  const removed = find(other.removed, mine.bytes)?.dots ?? []
  return mine.dots.filter((dot) => {
    const isShared = theirs?.dots.some(({ actor, counter }) => actor === dot.actor && counter === dot.counter)
    return isShared === true || !(coversDot(other.seen, dot) || coversDot(removed, dot))
  })
}

/** The element if its addition was not removed before it arrived. */
function fresh(added: SetElement | undefined, removed: readonly SetElement[]): SetElement | undefined {
  return added === undefined ? undefined : without(added, find(removed, added.bytes)?.dots)[0]
}

/** The element without the additions that were removed, as a list of one; empty when none is left. */
function without(element: SetElement, removed: readonly Dot[] | undefined): readonly SetElement[] {
  if (removed === undefined) return [element]
  const dots = element.dots.filter((dot) => !coversDot(removed, dot))
  return dots.length === 0 ? [] : [{ bytes: element.bytes, dots }]
}

/** Removals of both lists whose additions have not arrived. */
function open(a: readonly SetElement[], b: readonly SetElement[], seen: readonly Dot[]): readonly SetElement[] {
  if (a.length === 0 && b.length === 0) return a
  return walk(a, b, (mine, theirs) => {
    const bytes = (mine ?? theirs)?.bytes
    if (bytes === undefined) return undefined
    const dots = laterDots(mine?.dots ?? [], theirs?.dots ?? []).filter((dot) => !coversDot(seen, dot))
    return dots.length === 0 ? undefined : { bytes, dots }
  })
}
