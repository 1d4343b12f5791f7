import type { Register } from '../../replica/events.js'
import { isMerged } from '../../replica/merge/register.js'
import type { Replica } from '../../replica/replica.js'
import type { SessionState } from '../../replica/sessions/session-state.js'
import type { SetElement } from '../../session/merged.js'
import { sameDot, type Dot } from '../../session/session.js'
import type { Process, SimulatedNode } from '../node.js'
import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I1 Convergence'

/** Without faults all replicas come to hold the same: equal contexts, equal sessions. */
export const convergence: CheckerFactory = ({ nodes }): Checker => ({
  name: NAME,
  settled() {
    const difference = firstDifference(nodes)
    ensure(difference === undefined, NAME, () => difference ?? '')
  },
})

/** What keeps the nodes from agreeing, or undefined when they agree. */
export function firstDifference(nodes: readonly SimulatedNode[]): string | undefined {
  const contexts: string[] = []
  for (const { name, process } of nodes) {
    if (process === undefined) return `${name} is down`
    if (!process.replica.roster.isReady) return `${name} is not ready`
    const unsettled = whatIsUnsettled(process, nodes)
    if (unsettled !== undefined) return `${name}: ${unsettled}`
    contexts.push(JSON.stringify(process.replica.state.context.entries()))
  }
  const [first, ...others] = nodes
  for (const [index, { name }] of others.entries()) {
    if (contexts[index + 1] !== contexts[0])
      return `contexts of ${first?.name ?? ''} and ${name} differ: ${contexts[0] ?? ''} ${contexts[index + 1] ?? ''}`
  }
  for (const { name, process } of others) {
    if (first?.process === undefined || process === undefined || holdSame(first.process.replica, process.replica)) continue
    const [left, right] = [canonicalText(first.process.replica), canonicalText(process.replica)]
    return `sessions of ${first.name} and ${name} differ: ${differing(left, right)}`
  }
  return undefined
}

/** Whether two replicas hold equal sessions. */
export function holdSame(a: Replica, b: Replica): boolean {
  const [left, right] = [a.state.live, b.state.live]
  if (left.size !== right.size) return false
  for (const session of left.values()) {
    const other = right.get(session.birth)
    if (other === undefined || !areSame(session, other)) return false
  }
  return true
}

function areSame(a: SessionState, b: SessionState): boolean {
  return (
    a.isComplete === b.isComplete &&
    idsText(a) === idsText(b) &&
    a.registers.length === b.registers.length &&
    a.registers.every((register, at) => isSameRegister(register, b.registers[at]))
  )
}

function isSameRegister({ name, value, hlc, dot }: Register, other: Register | undefined): boolean {
  return (
    other?.name === name &&
    other.hlc === hlc &&
    sameDot(other.dot, dot) &&
    (other.value === value || mergedText(other.value) === mergedText(value))
  )
}

/** What a replica holds, as text that is equal where the state is equal. */
function canonicalText({ state }: Replica): string {
  return [...state.live.values()]
    .map((session) => {
      const registers = session.registers
        .map(({ name, value, hlc, dot }) => `${name}=${hlc}/${dot.actor}:${dot.counter}${mergedText(value)}`)
        .join(' ')
      return `${session.birth.actor}:${session.birth.counter} ${session.isComplete ? '' : 'incomplete '}[${idsText(session)}] {${registers}}`
    })
    .sort()
    .join('\n')
}

/** Ids are in no order. */
function idsText({ ids }: SessionState): string {
  const [only] = ids
  if (ids.length === 1 && only !== undefined) return only.hash
  return ids
    .map((id) => id.hash)
    .sort()
    .join(' ')
}

/** All of what was merged; nothing for plain values, which their write tells apart. */
export function mergedText(value: Register['value']): string {
  if (!isMerged(value)) return ''
  const since = `(${value.epoch.hlc}/${dotText(value.epoch.dot)})`
  switch (value.type) {
    case 'counter':
      return `${since}${value.entries.map(({ dot, sum }) => `${dotText(dot)}=${sum}`).join(' ')}`
    case 'max':
      return `${since}${value.top === null ? '' : `${dotText(value.top.dot)}=${value.top.value}`}`
    case 'set':
      return `${since}${elementsText(value.elements)} - ${elementsText(value.removed)}, ${value.seen.map(dotText).join(' ')}`
  }
}

function elementsText(elements: readonly SetElement[]): string {
  return elements.map(({ bytes, dots }) => `${bytes.join('.')}:${dots.map(dotText).join('+')}`).join(' ')
}

/** What waits for an event may wait for good only where that event died with everybody who had it. */
function whatIsUnsettled({ replica }: Process, nodes: readonly SimulatedNode[]): string | undefined {
  const { state } = replica
  const isSomewhere = (dot: Dot): boolean =>
    nodes.some(({ process }) => process?.replica.state.context.has(dot) === true)
  for (const [first, waits] of state.waitingForIds()) return `${dotText(first.birth)} and ${dotText(waits.birth)} have one id`
  if (state.revoked.size > 0) return 'revoked sessions are not killed yet'
  for (const session of state.live.values()) {
    if (!session.isComplete && isSomewhere(session.birth)) return 'a session is incomplete'
    if (session.removedIds.some(isSomewhere)) return 'removals of unknown ids are left'
  }
  return undefined
}

function differing(a: string, b: string): string {
  const [left, right] = [a.split('\n'), b.split('\n')]
  return `${linesOnlyIn(left, right)} <> ${linesOnlyIn(right, left)}`
}

function linesOnlyIn(lines: readonly string[], others: readonly string[]): string {
  return lines
    .filter((line) => !others.includes(line))
    .slice(0, 3)
    .join(' | ')
}
