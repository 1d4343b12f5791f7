import { Context } from '../../replica/context.js'
import type { Fragment, IdEntry, Register } from '../../replica/events.js'
import { SessionState } from '../../replica/sessions/session-state.js'
import { sameDot } from '../../session/session.js'
import type { Process } from '../node.js'
import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'
import { mergedText } from './convergence.js'

const NAME = 'I9 MergeLaws'
/** Sessions compared per pair of nodes and sweep. */
const SAMPLE = 20

/** Two nodes that merge what each holds of a session come to the same, in either order, and once is enough. */
export const mergeLaws: CheckerFactory = ({ nodes }): Checker => ({
  name: NAME,
  swept() {
    const running = nodes.flatMap(({ process }) => (process === undefined ? [] : [process]))
    for (const [index, a] of running.entries()) {
      const b = running[index + 1]
      if (b !== undefined) compare(a, b)
    }
  },
})

function compare(a: Process, b: Process): void {
  let sampled = 0
  for (const left of a.replica.state.live.values()) {
    const right = b.replica.state.live.get(left.birth)
    if (right === undefined) continue
    if (sampled++ >= SAMPLE) return
    const [ours, theirs] = [left.fragment(), right.fragment()]
    const session = merged(ours, theirs, a.replica.state.context)
    const leftFirst = partsOf(session)
    const rightFirst = partsOf(merged(theirs, ours, b.replica.state.context))
    ensure(areSame(leftFirst, rightFirst), NAME, () => {
      return `${dotText(left.birth)}: ${describe(leftFirst)} or ${describe(rightFirst)}`
    })
    session.merge(theirs, a.replica.state.context)
    ensure(areSame(leftFirst, partsOf(session)), NAME, () => {
      return `${dotText(left.birth)} changes when merged again: ${describe(leftFirst)}`
    })
  }
}

function merged(own: Fragment, other: Fragment, known: Context): SessionState {
  const copy = SessionState.begin(own.birth)
  copy.merge(own, new Context())
  copy.merge(other, known)
  return copy
}

/** A session as it is now: what it is made of is replaced, never changed in place. */
type Parts = Pick<SessionState, 'isComplete' | 'highest' | 'ids' | 'version' | 'registers'>

function partsOf({ isComplete, highest, ids, version, registers }: SessionState): Parts {
  return { isComplete, highest, ids, version, registers }
}

/** Ids and versions are in no order. */
function areSame(a: Parts, b: Parts): boolean {
  return (
    a.isComplete === b.isComplete &&
    a.highest === b.highest &&
    a.ids.length === b.ids.length &&
    areIn(a.ids, b.ids, isSameId) &&
    areIn(b.ids, a.ids, isSameId) &&
    a.version.length === b.version.length &&
    areIn(a.version, b.version, sameDot) &&
    areIn(b.version, a.version, sameDot) &&
    a.registers.length === b.registers.length &&
    a.registers.every((register, i) => isSameRegister(register, b.registers[i]))
  )
}

function isSameId(a: IdEntry, b: IdEntry): boolean {
  return a.hash === b.hash
}

function isSameRegister(a: Register, b: Register | undefined): boolean {
  if (a === b) return true
  return b?.name === a.name && sameDot(b.dot, a.dot) && (a.value === b.value || mergedText(b.value) === mergedText(a.value))
}

function areIn<T>(items: readonly T[], others: readonly T[], isSame: (a: T, b: T) => boolean): boolean {
  return items.every((item) => others.some((other) => isSame(item, other)))
}

function describe({ isComplete, highest, ids, version, registers }: Parts): string {
  const hashes = ids.map((id) => id.hash).sort()
  const versions = version.map(dotText).sort()
  const attributes = registers.map(({ name, dot, value }) => `${name}=${dotText(dot)}${mergedText(value)}`)
  return [isComplete, highest, hashes, versions, attributes].join(' ')
}
