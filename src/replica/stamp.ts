/**
 * The causal stamp: what one browser has seen of one session. A browser that carries it reads its own writes, and never
 * something older than it has read, on every node (Terry et al. 1994). It lists the events that may still be missing
 * somewhere, and the highest hybrid time seen; it shrinks as soon as every member has them.
 */
import type { Dot } from '../session/session.js'
import type { Context } from './context.js'
import type { Stamp } from './events.js'
import type { Roster } from './roster.js'
import type { SessionState } from './sessions/session-state.js'

/** What a cookie has room for. A session would need more parts than this, each last written by another process. */
export const STAMP_DOTS_MAX = 16

/** An event of nobody: in a stamp it stands for those that had no room. No node has it, so it is never covered. */
const OVERFLOW: Dot = { actor: 0, counter: 1 }

/** Nearly every request has one or none; an array that grows has room for 17 at once. */
const NO_DOTS: readonly Dot[] = []

/** The events a browser has seen that are not included here; the session may be unknown. */
export function missingDots(stamp: Stamp, session: SessionState | undefined, context: Context): readonly Dot[] {
  return stamp.dots.filter((dot) => session?.includes(dot) !== true && !context.has(dot))
}

/** Whether the browser has seen more than its stamp could list. */
export function isOverfull(stamp: Stamp): boolean {
  return stamp.dots.some(isOverflow)
}

/** Whether the dot stands for events that had no room. */
export function isOverflow(dot: Dot): boolean {
  return dot.actor === OVERFLOW.actor
}

/** Whether what is held is at or above everything the browser has seen. */
export function isCovered(stamp: Stamp, session: SessionState, context: Context): boolean {
  return session.highest >= stamp.highest && stamp.dots.every((dot) => session.includes(dot) || context.has(dot))
}

/**
 * What a browser that is served this session has seen then; `before`: what it had seen. Of the session that is what it
 * shows: who holds a later write of an attribute, or an id that replaced another, shows nothing older without the earlier.
 */
export function stampAfter(
  session: SessionState,
  before: Stamp | undefined,
  context: Context,
  roster: Roster,
  dotsMax: number,
): Stamp {
  let dots = NO_DOTS
  for (const dot of session.version) {
    if (!roster.haveAll(dot) && session.showsWorkOf(dot.actor)) dots = withOne(dots, dot)
  }
  for (const dot of before?.dots ?? NO_DOTS) {
    if (session.includes(dot) || (context.has(dot) && roster.haveAll(dot))) continue
    // One dot per actor: whoever has an event of a session has the earlier ones of that actor too.
    const same = dots.findIndex((entry) => entry.actor === dot.actor)
    if (same < 0) dots = withOne(dots, dot)
    else if ((dots[same] as Dot).counter < dot.counter) dots = dots.with(same, dot)
  }
  return {
    highest: Math.max(session.highest, before?.highest ?? 0),
    touchedAt: Math.max(session.touchedAt, before?.touchedAt ?? 0),
    dots: dots.length <= dotsMax ? dots : shortened(dots, dotsMax),
  }
}

/** The first without a call: nearly always it is the only one. */
function withOne(dots: readonly Dot[], dot: Dot): readonly Dot[] {
  return dots.length === 0 ? [dot] : dots.concat(dot)
}

function shortened(dots: readonly Dot[], dotsMax: number): readonly Dot[] {
  return [...dots.filter((dot) => !isOverflow(dot)).slice(0, dotsMax - 1), OVERFLOW]
}
