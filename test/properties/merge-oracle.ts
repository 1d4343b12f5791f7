/** What attributes that merge must come to, computed from scratch out of events, in the slowest and plainest way. */
import type { Event, RegisterWrite } from '../../src/replica/events.js'
import type { Change, Epoch } from '../../src/session/merged.js'
import type { Dot } from '../../src/session/session.js'
import { textOf } from '../replica/mesh.js'

type Writing = Extract<Event, { type: 'create' | 'write' | 'rotate' }>

interface Entry {
  readonly write: RegisterWrite
  readonly dot: Dot
  readonly hlc: number
}

/** Per name what `events` of one session come to, with the latest write that counts. */
export function outcomes(events: readonly Writing[]): unknown[] {
  const names = new Map<string, Entry[]>()
  for (const { writes, dot, hlc } of events) {
    for (const write of writes) names.set(write.name, [...(names.get(write.name) ?? []), { write, dot, hlc }])
  }
  return [...names.keys()].sort().map((name) => outcome(name, names.get(name) ?? []))
}

/** What counts: everything of the latest epoch; where kinds share it, of the greatest kind. */
function outcome(name: string, entries: readonly Entry[]): unknown {
  const epochs = entries.map(epochOf).sort((a, b) => a.hlc - b.hlc || a.dot.actor - b.dot.actor)
  const last = epochs.at(-1)
  const inLast = entries.filter((entry) => sameTime(epochOf(entry), last))
  const kind = Math.max(...inLast.map(({ write }) => write.kind))
  const counting = inLast.filter(({ write }) => write.kind === kind)
  const [latest] = counting.sort((a, b) => b.hlc - a.hlc || b.dot.actor - a.dot.actor)
  const changes = counting.flatMap(({ write, dot }) => (isChange(write.value) ? [{ change: write.value, dot }] : []))
  const plain = counting.map(({ write }) => write.value).find((one) => !isChange(one)) ?? null
  const value = changes.length > 0 || isChange(plain) ? total(changes) : textOf(plain)
  return { name, value, hlc: latest?.hlc, dot: latest?.dot }
}

function total(changes: readonly { readonly change: Change; readonly dot: Dot }[]): string {
  const sums = new Map<number, { readonly counter: number; readonly sum: number }>()
  const values: number[] = []
  const alive = new Map<string, Dot[]>()
  const isSet = changes.some(({ change }) => change.type === 'set')
  for (const { change, dot } of changes) {
    if (change.type === 'max') values.push(change.value)
    if (change.type === 'counter' && (sums.get(dot.actor)?.counter ?? 0) < dot.counter) {
      sums.set(dot.actor, { counter: dot.counter, sum: change.sum })
    }
    if (change.type === 'set') for (const bytes of change.add) alive.set(text(bytes), [...(alive.get(text(bytes)) ?? []), dot])
  }
  for (const { change } of changes) {
    if (change.type !== 'set') continue
    for (const { bytes, dots } of change.remove) {
      const isRemoved = (added: Dot): boolean => dots.some((dot) => dot.actor === added.actor && dot.counter >= added.counter)
      alive.set(text(bytes), (alive.get(text(bytes)) ?? []).filter((added) => !isRemoved(added)))
    }
  }
  if (isSet) return setText([...alive].filter(([, dots]) => dots.length > 0).map(([element]) => element))
  if (values.length > 0) return String(Math.max(...values))
  return String([...sums.values()].reduce((sum, entry) => sum + entry.sum, 0))
}

/** The sorted elements of a set, as mesh.ts writes them: here all are of one byte. */
export function setText(elements: readonly string[]): string {
  return `{${[...elements].sort((a, b) => Number(a) - Number(b)).join(' ')}}`
}

function epochOf({ write, dot, hlc }: Entry): Epoch {
  return isChange(write.value) ? write.value.epoch : { hlc, dot }
}

function sameTime(a: Epoch, b: Epoch | undefined): boolean {
  return a.hlc === b?.hlc && a.dot.actor === b.dot.actor
}

function isChange(value: RegisterWrite['value']): value is Change {
  return typeof value === 'object' && value !== null && 'epoch' in value
}

function text(bytes: Uint8Array): string {
  return bytes.join('.')
}
