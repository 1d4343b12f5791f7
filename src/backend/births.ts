/** Births as texts and in order: how walks over all sessions are continued, and how tables by birth are keyed. */
import type { SessionRef } from '../session/session.js'

/** `actor:counter`: the key of a session in tables, and the cursor of a walk that has come as far as this session. */
export function birthText({ actor, counter }: SessionRef): string {
  return `${actor}:${counter}`
}

/** The birth that a cursor names. What names none begins from the start. */
export function parseCursor(cursor: string | undefined): SessionRef {
  const [actor = 0, counter = 0] = cursor === undefined ? [] : cursor.split(':').map(Number)
  return { actor: actor || 0, counter: counter || 0 }
}

/** Ascending by actor, then by counter. */
export function inOrder(a: SessionRef, b: SessionRef): number {
  return a.actor - b.actor || a.counter - b.counter
}

/** Births after the cursor, ascending. */
export function birthsAfter(cursor: string | undefined, births: Iterable<SessionRef>): readonly SessionRef[] {
  const after = parseCursor(cursor)
  return [...births].filter((birth) => inOrder(birth, after) > 0).sort(inOrder)
}
