/**
 * Attributes whose concurrent writes merge (counters, maxima, sets). Merging is computed here, as in every backend, and
 * the script takes the result only if nobody wrote that attribute meanwhile; else it is computed anew. All other
 * attributes need no look before the write.
 */
import { applied, changeFor, isMerged, joined } from '../../replica/merge/register.js'
import type { Merged } from '../../session/merged.js'
import { RegisterKind, type AttributeWrite, type SessionDelta, type SessionRef } from '../../session/session.js'
import { decodeValue, encodeValue } from '../../session/value.js'
import type { PortableRegister } from '../backend.js'
import { encodeMerged, intentOf, mergeableRegister, type Mergeable } from '../merged-value.js'
import { deltaArguments, valueArguments } from './arguments.js'
import type { RedisArgument } from './dial.js'
import { listOf, numberOf, textOf } from './reply-parts.js'
import { fromStored } from './stored-value.js'

/** Follows a register that was computed from what is held: says from what, and what it is made of now. */
const MERGED = '\u0000merged'
const MERGING: ReadonlySet<number> = new Set([RegisterKind.counter, RegisterKind.max, RegisterKind.set])

/** Attributes that one Lua call can take at once, by far. */
const PLAIN_MAX = 500

/** Attributes of one session as they are held, by name, and a hybrid time that is later than all of them. */
export interface Held {
  readonly next: number
  readonly attributes: ReadonlyMap<string, HeldAttribute>
}

interface HeldAttribute {
  /** Who wrote it when, as the server notes it: what the script compares. */
  readonly mark: string
  readonly register: Mergeable
}

export const NOTHING: Held = { next: 1, attributes: new Map() }

const NO_NAMES: readonly string[] = []

/** Names of attributes that must be looked at before they are written. */
export function mergingNames({ writes }: SessionDelta): readonly string[] {
  return hasMerging(writes) ? writes.filter(({ kind }) => MERGING.has(kind)).map(({ name }) => name) : NO_NAMES
}

function hasMerging(writes: readonly AttributeWrite[]): boolean {
  return writes.some(({ kind }) => MERGING.has(kind))
}

/** What tells a script that nothing but attributes that do not merge are set, and few enough for one command. */
export function plainMark({ writes, maxIdleMs, principal }: SessionDelta): '' | 'plain' {
  const isPlain = maxIdleMs === undefined && principal === undefined && writes.length <= PLAIN_MAX
  return isPlain && writes.every(({ kind, value }) => value !== null && !MERGING.has(kind)) ? 'plain' : ''
}

/** What the script `held` answers; undefined where the session is over. */
export function heldOf(reply: unknown): Held | undefined {
  const [state, next, flat] = listOf(reply)
  if (textOf(state) !== 'found') return undefined
  const attributes = new Map<string, HeldAttribute>()
  const items = listOf(flat)
  for (let i = 0; i + 3 < items.length; i += 4) {
    const [name, mark, made, stored] = items.slice(i, i + 4)
    if (textOf(mark) === '') continue
    const register = registerOf(textOf(name), textOf(mark), bytesOf(made), bytesOf(stored))
    attributes.set(register.name, { mark: textOf(mark), register })
  }
  return { next: numberOf(next), attributes }
}

/** A commit's registers as arguments, given what is held. */
export function mergedDelta(delta: SessionDelta, held: Held, dot: SessionRef, json: boolean): readonly RedisArgument[] {
  if (!hasMerging(delta.writes)) return deltaArguments(delta, json)
  const list: RedisArgument[] = []
  for (const write of delta.writes) {
    if (!MERGING.has(write.kind)) {
      list.push(...deltaArguments({ writes: [write] }, json))
      continue
    }
    const before = held.attributes.get(write.name)
    const after = takenIn(write, before?.register, { hlc: held.next, dot })
    if (after === before?.register) continue
    list.push(after.name, after.kind, ...visible(after, json), MERGED, before?.mark ?? '', 1, madeOf(after))
  }
  return [...list, ...deltaArguments({ ...delta, writes: [] }, json)]
}

/** An imported register as arguments: name, kind, whether there is a value, value, hlc, actor, counter. */
export function importedRegister(register: PortableRegister, held: Held, json: boolean): readonly RedisArgument[] {
  const theirs = mergeableRegister(register)
  const before = held.attributes.get(register.name)
  if (!isMerged(theirs.value) && (before === undefined || !isMerged(before.register.value))) {
    return stamped(theirs, json)
  }
  const both = joined(before?.register, theirs)
  if (both === before?.register) return []
  return [...stamped(both, json), MERGED, before?.mark ?? '', 1, madeOf(both), 0, 0, 0]
}

/** How many registers the arguments of one are. */
export function registersIn(args: readonly RedisArgument[]): number {
  return args.length / 7
}

/** What a stored state is made of; undefined where it says nothing. */
export function mergedOf(made: Uint8Array | undefined): Merged | undefined {
  if (made === undefined || made.length === 0) return undefined
  const decoded = decodeValue(made)
  return decoded.ok && isState(decoded.value) ? decoded.value : undefined
}

function stamped(register: Mergeable, json: boolean): readonly RedisArgument[] {
  const { name, kind, hlc, dot } = register
  return [name, kind, ...visible(register, json), hlc, dot.actor, dot.counter]
}

function takenIn(write: AttributeWrite, held: Mergeable | undefined, own: { hlc: number; dot: SessionRef }): Mergeable {
  const { name, kind, value } = write
  const replaced = held !== undefined && held.kind !== kind ? encodedOf(held) : undefined
  const intent = { name, kind, value: intentOf(write, replaced) ?? value }
  return applied(held, changeFor(intent, held, own), own)
}

function encodedOf({ value }: Mergeable): Uint8Array | undefined {
  if (isMerged(value)) return encodeMerged(value)
  return value instanceof Uint8Array ? value : undefined
}

function visible({ value }: Mergeable, json: boolean): readonly RedisArgument[] {
  return valueArguments(isMerged(value) ? (encodeMerged(value) ?? null) : value, json)
}

function madeOf({ value }: Mergeable): RedisArgument {
  return isMerged(value) ? Buffer.from(encodeValue(value, 'state')) : ''
}

function registerOf(name: string, mark: string, made: Uint8Array, stored: Uint8Array): Mergeable {
  const [hlc = 0, actor = 0, counter = 0, kind = 0] = mark.split(' ').map(Number)
  const plain = stored.length === 0 ? null : fromStored(stored)
  return { name, kind, value: mergedOf(made) ?? plain, hlc, dot: { actor, counter } }
}

function bytesOf(reply: unknown): Uint8Array {
  return Buffer.isBuffer(reply) ? reply : Buffer.from(textOf(reply))
}

/** Only scripts of ours write states: the kind says which one it is. */
function isState(value: unknown): value is Merged {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('epoch' in value)) return false
  return value.type === 'counter' || value.type === 'max' || value.type === 'set'
}
