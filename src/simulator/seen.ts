import type { Register, RegisterWrite } from '../replica/events.js'
import type { Dot } from '../session/session.js'

/** Which write of an attribute: ordered by hybrid time, then by actor. */
export interface Version {
  readonly hlc: number
  readonly actor: number
}

/** What one browser has read and written of one session, attribute by attribute. Never changed in place. */
export interface Seen {
  readonly read: ReadonlyMap<string, Version>
  readonly written: ReadonlyMap<string, Version>
}

export const NOTHING_SEEN: Seen = { read: new Map(), written: new Map() }

export function isOlder(a: Version, b: Version): boolean {
  return a.hlc < b.hlc || (a.hlc === b.hlc && a.actor < b.actor)
}

export function afterRead(seen: Seen, registers: readonly Register[]): Seen {
  let read: Map<string, Version> | undefined
  for (const { name, hlc, dot } of registers) {
    const held = (read ?? seen.read).get(name)
    if (held !== undefined && (held.hlc > hlc || (held.hlc === hlc && held.actor >= dot.actor))) continue
    read ??= new Map(seen.read)
    read.set(name, { hlc, actor: dot.actor })
  }
  return read === undefined ? seen : { read, written: seen.written }
}

export function afterWrite(
  seen: Seen,
  event: { readonly dot: Dot; readonly hlc: number; readonly writes: readonly RegisterWrite[] },
): Seen {
  if (event.writes.length === 0) return seen
  const written = new Map(seen.written)
  const version = { hlc: event.hlc, actor: event.dot.actor }
  for (const { name } of event.writes) {
    const held = written.get(name)
    if (held === undefined || isOlder(held, version)) written.set(name, version)
  }
  return { read: seen.read, written }
}

export function join(a: Seen, b: Seen): Seen {
  if (a === b || b === NOTHING_SEEN) return a
  if (a === NOTHING_SEEN) return b
  const read = joinMaps(a.read, b.read)
  const written = joinMaps(a.written, b.written)
  return read === a.read && written === a.written ? a : { read, written }
}

/** The first attribute whose register is older than what was seen, or is not there. */
export function firstOlder(
  versions: ReadonlyMap<string, Version>,
  registers: readonly Register[],
): string | undefined {
  for (const [name, { hlc, actor }] of versions) {
    const register = registers.find((candidate) => candidate.name === name)
    if (register === undefined || register.hlc < hlc || (register.hlc === hlc && register.dot.actor < actor)) return name
  }
  return undefined
}

function joinMaps(a: ReadonlyMap<string, Version>, b: ReadonlyMap<string, Version>): ReadonlyMap<string, Version> {
  if (a === b || b.size === 0) return a
  let joined: Map<string, Version> | undefined
  for (const [name, version] of b) {
    const held = a.get(name)
    if (held !== undefined && !isOlder(held, version)) continue
    joined ??= new Map(a)
    joined.set(name, version)
  }
  return joined ?? a
}
