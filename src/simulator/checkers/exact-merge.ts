import type { Register } from '../../replica/events.js'
import { isIncluded } from '../../replica/sessions/id-set.js'
import type { SessionState } from '../../replica/sessions/session-state.js'
import type { Merged } from '../../session/merged.js'
import { RegisterKind, sameDot } from '../../session/session.js'
import { isMergingAttribute, MERGING_ATTRIBUTES } from '../merging.js'
import type { History, MergingWrite, Oracle } from '../oracle.js'
import { isWrittenBefore, type Written } from '../seen.js'
import { dotText } from '../transcript.js'
import type { CheckerFactory } from './checker.js'
import { everySession, FoundRight } from './expected.js'
import { Removals } from './removals.js'

const NAME = 'K ExactMerge'

/**
 * Every attribute that merges has what was asked of it by the events included, each once: all additions of a counter,
 * the greatest number, the elements that nobody removed who held them. Recomputed from what requests asked for, not from
 * what events carry.
 */
export const exactMerge: CheckerFactory = ({ merges, nodes, oracle }) => {
  if (!merges) return { name: NAME }
  const removals = new Removals(oracle)
  const checked = new FoundRight(oracle, (session, history) => wrongMerge(session, history, oracle, removals))
  return {
    ...everySession(NAME, nodes, checked),
    made(_node, _process, event) {
      if (event.type === 'kill' || event.type === 'revoke') return
      for (const { name } of event.writes) if (isMergingAttribute(name)) removals.note(event, name)
    },
  }
}

function wrongMerge(session: SessionState, history: History, oracle: Oracle, removals: Removals): string | undefined {
  for (const name of MERGING_ATTRIBUTES) {
    const counted = latestEra(writesOf(name, session, history))
    const wrong = wrongAttribute(name, session.register(name), counted, oracle, removals)
    if (wrong !== undefined) return `${name} ${wrong}`
  }
  return undefined
}

function writesOf(name: string, { version }: SessionState, history: History): readonly MergingWrite[] {
  return history.merging.get(name)?.filter(({ event }) => isIncluded(event.dot, version)) ?? []
}

/** Those that count: what was written in an earlier epoch is over, and a plain write is an epoch of its own. */
function latestEra(writes: readonly MergingWrite[]): readonly MergingWrite[] {
  const latest = writes.reduce<Written | undefined>((era, other) => later(era, other.era), undefined)
  return writes.filter(({ era }) => era.hlc === latest?.hlc && era.actor === latest.actor)
}

function wrongAttribute(
  name: string,
  register: Register | undefined,
  counted: readonly MergingWrite[],
  oracle: Oracle,
  removals: Removals,
): string | undefined {
  const last = counted.reduce<MergingWrite | undefined>((a, b) => (a !== undefined && isWrittenBefore(b.at, a.at) ? a : b), undefined)
  if (register === undefined || last === undefined) return register === last ? undefined : 'is there or not, wrongly'
  if (!sameDot(register.dot, last.event.dot))
    return `was last written by ${dotText(register.dot)}, not by ${dotText(last.event.dot)}`
  const held = heldText(register.value)
  const expected = expectedText(name, counted, oracle, removals)
  return held === expected ? undefined : `is ${held}, not ${expected}`
}

function heldText(value: Register['value']): string {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 'plain'
  return mergedText(value)
}

function mergedText(value: Merged): string {
  switch (value.type) {
    case 'counter':
      return `counter ${value.entries.reduce((all, { sum }) => all + sum, 0)}`
    case 'max':
      return `max ${value.top?.value ?? 'of nothing'}`
    case 'set':
      return `set {${value.elements.map(({ bytes }) => bytes[0]).join(' ')}}`
  }
}

/** The same from what was asked for. */
function expectedText(name: string, counted: readonly MergingWrite[], oracle: Oracle, removals: Removals): string {
  if (counted.some(({ write }) => write.kind === RegisterKind.lww)) return 'plain'
  const numbers: number[] = []
  const elements = new Set<number>()
  for (const { event } of counted) {
    const intent = oracle.intent(event.dot, name)
    if (intent?.type === 'counter') numbers.push(intent.add)
    if (intent?.type === 'max') numbers.push(intent.value)
    for (const [element = 0] of intent?.type === 'set' ? intent.add : []) {
      if (!counted.some((other) => removals.covers(other.event.dot, element, event.dot))) elements.add(element)
    }
  }
  const kind = counted[0]?.write.kind
  if (kind === RegisterKind.counter) return `counter ${numbers.reduce((all, number) => all + number, 0)}`
  if (kind === RegisterKind.max) return `max ${numbers.length === 0 ? 'of nothing' : Math.max(...numbers)}`
  return `set {${[...elements].sort((one, other) => one - other).join(' ')}}`
}

function later(a: Written | undefined, b: Written): Written {
  return a === undefined || isWrittenBefore(a, b) ? b : a
}
