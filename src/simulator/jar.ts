import type { Stamp } from '../replica/events.js'
import { actorTag, sameDot, type Dot, type IdHash, type IdOrigin } from '../session/session.js'
import { hashText } from './random.js'
import { join, type Seen } from './seen.js'

/** The id cookie: the hash stands for the id, the origin is what the id says of itself. */
export interface IdCookie {
  readonly hash: IdHash
  readonly origin: IdOrigin
  readonly birth: Dot
}

/** A stamp cookie, and (for the checkers alone) what it stands for. */
export interface StampCookie {
  readonly birth: Dot
  readonly stamp: Stamp
  readonly seen: Seen
  readonly setAt: number
}

/** Stamp cookies by node: one node's answers overwrite only what nodes of that slot set. */
export const SLOTS = 4
/** A stamp cookie's Max-Age, milliseconds. */
const STAMP_LIFE_MS = 600_000

/** What one browser carries. As in a real jar the last response wins, whichever request it answers. */
export class Jar {
  id: IdCookie | undefined = undefined
  readonly #stamps = new Map<number, StampCookie>()

  setStamp(slot: number, cookie: StampCookie): void {
    this.#stamps.set(slot, cookie)
  }

  /** What was noted of a session is replaced as a whole: some of it may be lost. */
  forgetStamps(birth: Dot): void {
    for (const [slot, cookie] of this.#stamps) if (sameDot(cookie.birth, birth)) this.#stamps.delete(slot)
  }

  clear(): void {
    this.id = undefined
    this.#stamps.clear()
  }

  /** All stamps of the session together: what is sent along with the id. */
  stamp(birth: Dot, now: number): { readonly stamp: Stamp; readonly seen: Seen } | undefined {
    let joined: { stamp: Stamp; seen: Seen } | undefined
    for (const cookie of this.#stamps.values()) {
      if (!sameDot(cookie.birth, birth) || now - cookie.setAt > STAMP_LIFE_MS) continue
      const { stamp, seen } = cookie
      joined =
        joined === undefined
          ? { stamp, seen }
          : { stamp: joinStamps(joined.stamp, stamp), seen: join(joined.seen, seen) }
    }
    return joined
  }
}

export function slotOf(node: string): number {
  return (hashText(node) >>> 0) % SLOTS
}

export function originOf(dot: Dot): IdOrigin {
  return { actorTag: actorTag(dot.actor), counter: dot.counter }
}

export function joinStamps(a: Stamp, b: Stamp): Stamp {
  const dots = [...a.dots]
  for (const dot of b.dots) {
    const same = dots.findIndex((held) => held.actor === dot.actor)
    if (same < 0) dots.push(dot)
    else if ((dots[same] as Dot).counter < dot.counter) dots[same] = dot
  }
  return { highest: Math.max(a.highest, b.highest), touchedAt: Math.max(a.touchedAt, b.touchedAt), dots }
}

/** Whether an answer tells the browser anything that its own stamp does not. */
export function isRaised(before: Stamp | undefined, after: Stamp): boolean {
  if (before === undefined) return true
  if (after.highest > before.highest) return true
  return after.dots.some(
    (dot) => !before.dots.some((held) => held.actor === dot.actor && held.counter >= dot.counter),
  )
}
