import { Context } from '../../replica/context.js'
import { SessionState } from '../../replica/session-state.js'
import type { Process } from '../node.js'
import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

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
    if (right === undefined || sampled++ >= SAMPLE) continue
    const leftFirst = merged(left, right, a.replica.state.context)
    const rightFirst = merged(right, left, b.replica.state.context)
    const both = describe(leftFirst)
    ensure(both === describe(rightFirst), NAME, () => `${dotText(left.birth)}: ${both} or ${describe(rightFirst)}`)
    leftFirst.merge(right.fragment(), a.replica.state.context)
    ensure(both === describe(leftFirst), NAME, () => `${dotText(left.birth)} changes when merged again: ${both}`)
  }
}

function merged(own: SessionState, other: SessionState, known: Context): SessionState {
  const copy = new SessionState(own.birth)
  copy.merge(own.fragment(), new Context())
  copy.merge(other.fragment(), known)
  return copy
}

function describe(session: SessionState): string {
  const ids = session.ids.map((id) => id.hash).sort()
  const version = session.version.map(dotText).sort()
  const registers = session.registers.map(({ name, dot }) => `${name}=${dotText(dot)}`)
  return [session.isComplete, session.highest, ids, version, registers].join(' ')
}
