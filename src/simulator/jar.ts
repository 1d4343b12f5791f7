import type { Stamp } from '../replica/events.js'
import { actorTag, sameDot, type Dot, type IdHash, type IdOrigin } from '../session/session.js'
import { hashText } from './random.js'
import { join, type Seen } from './seen.js'

/** The id cookie: the hash stands for the id, the origin is what the id says of itself; null: somebody else made it. */
export interface IdCookie {
  readonly hash: IdHash
  readonly origin: IdOrigin | null
  readonly birth: Dot
}

/** A stamp cookie, and (for the checkers alone) what it stands for. */
export interface StampCookie {
  readonly birth: Dot
  readonly stamp: Stamp
  readonly seen: Seen
  readonly setAt: number
}

/** Stamps, and what they stand for. */
type Carried = Pick<StampCookie, 'stamp' | 'seen'>

interface Joined {
  readonly birth: Dot
  readonly until: number
  readonly carried: Carried | undefined
}

/** Stamp cookies by node: one node's answers overwrite only what nodes of that slot set. */
export const SLOTS = 4
/** A stamp cookie's Max-Age, milliseconds. */
const STAMP_LIFE_MS = 600_000

/** What one browser carries. As in a real jar the last response wins, whichever request it answers. */
export class Jar {
  id: IdCookie | undefined = undefined
  readonly #stamps = new Map<number, StampCookie>()
  /** What `stamp` answered last: it holds until a cookie changes or ends. */
  #joined: Joined | undefined = undefined

  setStamp(slot: number, cookie: StampCookie): void {
    this.#stamps.set(slot, cookie)
    this.#joined = undefined
  }

  /** What was noted of a session is replaced as a whole: some of it may be lost. */
  forgetStamps(birth: Dot): void {
    for (const [slot, cookie] of this.#stamps) if (sameDot(cookie.birth, birth)) this.#stamps.delete(slot)
    this.#joined = undefined
  }

  clear(): void {
    this.id = undefined
    this.#stamps.clear()
    this.#joined = undefined
  }

  /** All stamps of the session together: what is sent along with the id. */
  stamp(birth: Dot, now: number): Carried | undefined {
    const known = this.#joined
    if (known !== undefined && sameDot(known.birth, birth) && now <= known.until) return known.carried
    let carried: Carried | undefined
    let until = Infinity
    for (const { birth: other, stamp, seen, setAt } of this.#stamps.values()) {
      if (!sameDot(other, birth) || now - setAt > STAMP_LIFE_MS) continue
      until = Math.min(until, setAt + STAMP_LIFE_MS)
      carried =
        carried === undefined
          ? { stamp, seen }
          : { stamp: joinStamps(carried.stamp, stamp), seen: join(carried.seen, seen) }
    }
    this.#joined = { birth, until, carried }
    return carried
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
