import type { Register, RegisterWrite } from '../replica/events.js'
import { isMerged } from '../replica/merge/register.js'
import type { Dot } from '../session/session.js'

/** When something was written, and by whom. */
export interface Written {
  readonly hlc: number
  readonly actor: number
}

/** Which write of an attribute. */
export interface Version extends Written {
  readonly name: string
  /** The write from which on it counts: itself, unless the attribute merges. */
  readonly era: Written
}

/** At most one per attribute, ascending by its name. */
export type Versions = readonly Version[]

/** What one browser has read and written of one session, attribute by attribute. Never changed in place. */
export interface Seen {
  readonly read: Versions
  readonly written: Versions
}

export const NOTHING_SEEN: Seen = { read: [], written: [] }

/** By hybrid time, then by actor. */
export function isWrittenBefore(a: Written, b: Written): boolean {
  return a.hlc < b.hlc || (a.hlc === b.hlc && a.actor < b.actor)
}

/** The era of a write: of a change to what merges the one that it belongs to, else it begins one. */
export function eraOf(value: Register['value'] | RegisterWrite['value'], own: Written): Written {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return own
  return { hlc: value.epoch.hlc, actor: value.epoch.dot.actor }
}

/** `registers`: ascending by name. */
export function afterRead(seen: Seen, registers: readonly Register[]): Seen {
  const read = laterOf(seen.read, registers.map(versionOf))
  return read === seen.read ? seen : { read, written: seen.written }
}

export function afterWrite(
  seen: Seen,
  event: { readonly dot: Dot; readonly hlc: number; readonly writes: readonly RegisterWrite[] },
): Seen {
  const { hlc, dot, writes } = event
  const at = { hlc, actor: dot.actor }
  const own = writes.map(({ name, value }): Version => ({ name, ...at, era: eraOf(value, at) }))
  const written = laterOf(seen.written, own.sort(byName))
  return written === seen.written ? seen : { read: seen.read, written }
}

export function join(a: Seen, b: Seen): Seen {
  if (a === b || b === NOTHING_SEEN) return a
  if (a === NOTHING_SEEN) return b
  const read = laterOf(a.read, b.read)
  const written = laterOf(a.written, b.written)
  return read === a.read && written === a.written ? a : { read, written }
}

/** The first attribute whose register is older than what was seen, or is not there. `registers`: ascending by name. */
export function firstOlder(versions: Versions, registers: readonly Register[]): string | undefined {
  let at = 0
  for (const version of versions) {
    while (at < registers.length && (registers[at] as Register).name < version.name) at++
    const register = registers[at]
    if (register?.name !== version.name || isBefore(register, version)) return version.name
  }
  return undefined
}

/** Of every attribute of either the later version. Answers `a` itself when `b` has nothing later. */
function laterOf(a: Versions, b: Versions): Versions {
  if (a === b || isWithin(b, a)) return a
  const later: Version[] = []
  let i = 0
  for (const version of b) {
    while (i < a.length && (a[i] as Version).name < version.name) later.push(a[i++] as Version)
    const held = a[i]?.name === version.name ? a[i++] : undefined
    later.push(held === undefined || isOlder(held, version) ? version : held)
  }
  while (i < a.length) later.push(a[i++] as Version)
  return later
}

/** Whether there is nothing in `versions` that is later than in `others`. */
function isWithin(versions: Versions, others: Versions): boolean {
  let at = 0
  for (const version of versions) {
    while (at < others.length && (others[at] as Version).name < version.name) at++
    const other = others[at]
    if (other?.name !== version.name || isOlder(other, version)) return false
  }
  return true
}

/** Whether `a` says less than `b`: what it counts from comes first. */
function isOlder(a: Version, b: Version): boolean {
  if (isWrittenBefore(a.era, b.era)) return true
  return !isWrittenBefore(b.era, a.era) && isWrittenBefore(a, b)
}

function isBefore(register: Register, version: Version): boolean {
  if (isMerged(register.value)) return isOlder(versionOf(register), version)
  const { hlc, dot } = register
  const { era } = version
  return hlc < era.hlc || (hlc === era.hlc && dot.actor < era.actor)
}

function versionOf({ name, value, hlc, dot }: Register): Version {
  const at = { hlc, actor: dot.actor }
  return { name, ...at, era: eraOf(value, at) }
}

function byName(a: Version, b: Version): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
