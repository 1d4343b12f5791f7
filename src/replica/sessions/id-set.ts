/** The ids of a session as an observed-remove set, and the version that says which additions are included. */
import { sameDot, type Dot } from '../../session/session.js'
import type { Context } from '../context.js'
import type { Fragment, IdEntry } from '../events.js'

/** What of a session this changes. */
interface IdSet {
  ids: readonly IdEntry[]
  /** Removals of ids whose adding event has not arrived. */
  removedIds: readonly Dot[]
  version: readonly Dot[]
}

/** Whether `version` includes the event. */
export function isIncluded(dot: Dot, version: readonly Dot[]): boolean {
  return version.some((entry) => entry.actor === dot.actor && entry.counter >= dot.counter)
}

/** Notes that an event is included. */
export function include(session: IdSet, dot: Dot): void {
  const { version } = session
  const at = version.findIndex((entry) => entry.actor === dot.actor)
  if (at < 0) session.version = version.concat(dot)
  else if ((version[at] as Dot).counter < dot.counter) session.version = version.with(at, dot)
}

export function addId(session: IdSet, entry: IdEntry): void {
  const removed = session.removedIds.findIndex((dot) => sameDot(dot, entry.dot))
  if (removed >= 0) session.removedIds = session.removedIds.toSpliced(removed, 1)
  else if (!session.ids.some((id) => sameDot(id.dot, entry.dot))) session.ids = session.ids.concat(entry)
}

/** Removes ids by the event that added them; where that event is still to come, remembers the removal. */
export function dropIds(session: IdSet, drops: readonly Dot[], known: Context): void {
  const kept = session.ids.filter((id) => !drops.some((dot) => sameDot(dot, id.dot)))
  if (kept.length !== session.ids.length) session.ids = kept
  for (const dot of drops) {
    if (known.has(dot) || isIncluded(dot, session.version)) continue
    if (!isAmong(dot, session.removedIds)) session.removedIds = session.removedIds.concat(dot)
  }
}

/** Takes in the ids of another replica's copy. */
export function mergeIds(session: IdSet, from: Fragment, known: Context): void {
  const { version, removedIds } = session
  const isGone = ({ dot }: IdEntry): boolean => isIncluded(dot, from.version) || isAmong(dot, from.removedIds)
  const kept = session.ids.filter((own) => from.ids.some((id) => sameDot(id.dot, own.dot)) || !isGone(own))
  const isNew = ({ dot }: IdEntry): boolean =>
    !kept.some((id) => sameDot(id.dot, dot)) && !known.has(dot) && !isIncluded(dot, version) && !isAmong(dot, removedIds)
  const added = from.ids.filter(isNew)
  if (kept.length !== session.ids.length || added.length > 0) session.ids = kept.concat(added)

  const open = removedIds.concat(from.removedIds.filter((dot) => !isAmong(dot, removedIds)))
  // A removal is done once its adding event is included on either side: then `ids` already says so.
  session.removedIds = open.filter((dot) => !isIncluded(dot, from.version) && !known.has(dot) && !isIncluded(dot, version))
}

function isAmong(dot: Dot, dots: readonly Dot[]): boolean {
  return dots.some((other) => sameDot(other, dot))
}
