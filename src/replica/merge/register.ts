import { FIRST_EPOCH, type Change, type Intent, type Merged } from '../../session/merged.js'
import type { Register, RegisterIntent, RegisterValue, RegisterWrite } from '../events.js'
import { applyTo, begin, bytesOf, changeOf, dotsOf, isPresent, join } from './merged.js'
import { compareWritten, type Written } from './stamp-order.js'

/**
 * One attribute, of whatever kind. Of two writes of which one replaces the other the greater by (hlc, actor) stays: all
 * of `lww` and of unknown kinds, removals, and the first write of a kind where another was. The others belong to the
 * epoch that such a write began, and merge in it.
 *
 * `hlc` and `dot` of a register are those of the latest write that still counts.
 */

type Held = Register | undefined

/** What a commit's write is as part of an event, given what the writer holds. Plain values go as they are. */
export function changeFor(write: RegisterWrite | RegisterIntent, held: Held, own: Written): RegisterWrite {
  if (isChange(write)) return write
  const { name, kind, value } = write
  // Whoever writes first belongs to the first epoch; whoever replaces another kind begins one.
  const begun = begin(kind, held === undefined ? FIRST_EPOCH : own)
  const state = held !== undefined && held.kind === kind && isMerged(held.value) ? held.value : begun
  if (state === undefined || !isObject(value)) throw new TypeError(`kind ${kind} of ${name} does not merge`)
  return { name, kind, value: changeOf(value, state, own.dot.actor) }
}

/** Whether a write is what an event carries as it is. */
export function isChange(write: RegisterWrite | RegisterIntent): write is RegisterWrite {
  return !isObject(write.value) || 'epoch' in write.value
}

/** Takes in one event's write that is not included yet. */
export function applied(held: Held, { name, kind, value }: RegisterWrite, { hlc, dot }: Written): Register {
  if (!isObject(value)) {
    // Removing an attribute that merges begins an epoch of it.
    const removed = value === null ? begin(kind, { hlc, dot }) : undefined
    return joined(held, { name, kind, value: removed ?? value, hlc, dot })
  }
  const start = begin(kind, value.epoch)
  if (start === undefined) return held ?? { name, kind, value: null, hlc, dot }
  const fresh: Register = { name, kind, value: applyTo(start, value, dot), hlc, dot }
  if (held === undefined || isLater(fresh, held)) return fresh
  if (!isMerged(held.value) || isLater(held, fresh)) return held
  const latest = compareWritten(fresh, held) > 0 ? fresh : held
  return { name, kind, value: applyTo(held.value, value, dot), hlc: latest.hlc, dot: latest.dot }
}

/** Both copies of one attribute as one. Answers `held` itself when the other has nothing new. */
export function joined(held: Held, from: Register): Register {
  if (held === undefined) return from
  // Nearly all attributes are plain: nothing to tell apart but which was written later.
  if (!isObject(held.value) && !isObject(from.value)) return compareWritten(from, held) > 0 ? from : held
  if (isLater(from, held)) return from
  if (!isMerged(held.value) || !isMerged(from.value) || isLater(held, from)) return held
  const value = join(held.value, from.value)
  const latest = compareWritten(from, held) > 0 ? from : held
  if (value === held.value && latest === held) return held
  return { name: held.name, kind: held.kind, value, hlc: latest.hlc, dot: latest.dot }
}

/** Whether a replica that has `since` lacks anything of this attribute. Then all of it is sent. */
export function isNewTo(register: Register, since: { has(dot: Register['dot']): boolean }): boolean {
  if (!since.has(register.dot)) return true
  return isMerged(register.value) && dotsOf(register.value).some((dot) => !since.has(dot))
}

/** Whether an event of `actor` is among those that make this attribute what it is. */
export function isBy(register: Register, actor: number): boolean {
  if (register.dot.actor === actor) return true
  return isMerged(register.value) && dotsOf(register.value).some((dot) => dot.actor === actor)
}

/** Bytes of a value, for caps and sync parts. */
export function valueBytes(value: RegisterValue | Merged | Change | Intent): number {
  if (value === null || typeof value === 'number') return 8
  return isObject(value) ? bytesOf(value) : value.length
}

/** Whether the attribute is there for a request. Reserved registers are not. */
export function isAttribute({ value }: Register): boolean {
  return isMerged(value) ? isPresent(value) : typeof value === 'object' && value !== null
}

export function isMerged(value: Register['value']): value is Merged {
  return isObject(value)
}

/** Whether `from` is of a later epoch than `held`; where both began together, of the kind with the greater number. */
function isLater(from: Register, held: Register): boolean {
  const order = compareWritten(eraOf(from), eraOf(held))
  return order > 0 || (order === 0 && from.kind > held.kind)
}

/** The write from which on the register counts: for plain ones every write is one. */
function eraOf(register: Register): Written {
  return isMerged(register.value) ? register.value.epoch : register
}

function isObject<T extends object>(value: T | RegisterValue): value is Exclude<T, Uint8Array> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}
