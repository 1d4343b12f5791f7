import type { RegisterIntent, RegisterWrite } from '../replica/events.js'
import { RegisterKind } from '../session/session.js'
import type { Random } from './random.js'

/** Attributes that merge, and how; only some worlds write them. No other attribute has such a name. */
const KINDS: ReadonlyMap<string, number> = new Map([
  ['best', RegisterKind.max],
  ['clicks', RegisterKind.counter],
  ['tags', RegisterKind.set],
])

export const MERGING_ATTRIBUTES: readonly string[] = [...KINDS.keys()]

const REMOVED_SHARE = 0.06
/** Now and then an application takes the attribute for a plain one. */
const PLAIN_SHARE = 0.03
const LARGEST = 9
/** Few, so that many add and remove the same. */
const ELEMENTS = 5

export function isMergingAttribute(name: string): boolean {
  return KINDS.has(name)
}

/** What an application does to an attribute that merges. Undefined: this one does not. */
export function mergingWrite(
  name: string,
  random: Random,
  newValue: () => Uint8Array,
): RegisterIntent | RegisterWrite | undefined {
  const kind = KINDS.get(name)
  if (kind === undefined) return undefined
  const dice = random.unit()
  if (dice < REMOVED_SHARE) return { name, kind, value: null }
  if (dice < REMOVED_SHARE + PLAIN_SHARE) return { name, kind: RegisterKind.lww, value: newValue() }
  const amount = random.integer(1, LARGEST)
  if (kind === RegisterKind.counter) return { name, kind, value: { type: 'counter', add: amount } }
  if (kind === RegisterKind.max) return { name, kind, value: { type: 'max', value: amount } }
  const added = random.integer(1, ELEMENTS)
  const removed = random.integer(1, ELEMENTS)
  const what = random.unit()
  const add = what < 0.7 ? [Uint8Array.of(added)] : []
  const remove = what > 0.4 && (add.length === 0 || removed !== added) ? [Uint8Array.of(removed)] : []
  return { name, kind, value: { type: 'set', add, remove } }
}
