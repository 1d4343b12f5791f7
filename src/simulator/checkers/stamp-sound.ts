import type { Stamp } from '../../replica/events.js'
import { dotsOf } from '../../replica/merge/merged.js'
import { isMerged } from '../../replica/merge/register.js'
import type { SessionState } from '../../replica/sessions/session-state.js'
import { isOverflow, isOverfull } from '../../replica/stamp.js'
import type { Dot } from '../../session/session.js'
import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I14 StampSound'

/**
 * What is shown and not listed, every member that runs has: nobody can serve the browser something older. What the browser
 * brought stays listed until it is held here, or nobody is left who made it.
 */
export const stampSound: CheckerFactory = ({ nodes, stampDotsMax }): Checker => ({
  name: NAME,
  found({ node, ask }, { replica }, { birth, stamp, stale }) {
    const session = replica.state.live.get(birth)
    ensure(stamp.dots.length <= stampDotsMax, NAME, () => `${stamp.dots.length} events in one stamp`)
    if (session === undefined || isOverfull(stamp)) return

    const forgotten = (ask.stamp?.dots ?? []).filter((dot) => {
      const isHeld = replica.state.context.has(dot) || session.includes(dot)
      return !isListed(dot, stamp) && !isOverflow(dot) && !isHeld && nodes.some(({ process }) => process?.actor === dot.actor)
    })
    ensure(forgotten.length === 0, NAME, () => `${node.name} drops ${forgotten.map(dotText).join(' ')}, and lacks it`)

    const leftOut = stale ? [] : shownBy(session).filter((dot) => !isListed(dot, stamp))
    if (leftOut.length === 0) return
    ensure(replica.roster.knowsAll, NAME, () => `${node.name} drops ${leftOut.map(dotText).join(' ')}, and has not met everybody`)
    for (const member of replica.roster.others()) {
      const process = nodes.find((other) => other.process?.actor === member.actor)?.process
      if (process === undefined) continue
      const { context, live } = process.replica.state
      // It has ended the session, and shows nothing of it; with the copy went what that had included.
      if (context.has(birth) && !live.has(birth)) continue
      // A fragment includes earlier events of an actor with its latest one, before the context can name them.
      const lacking = leftOut.find((dot) => !context.has(dot) && live.get(birth)?.includes(dot) !== true)
      ensure(lacking === undefined, NAME, () => {
        return `${node.name} drops ${lacking === undefined ? '' : dotText(lacking)}, which ${member.node} lacks`
      })
    }
  },
})

function isListed(dot: Dot, { dots }: Stamp): boolean {
  return dots.some((kept) => kept.actor === dot.actor && kept.counter >= dot.counter)
}

/** The events whose work can be seen in the session. */
function shownBy({ registers, ids }: SessionState): readonly Dot[] {
  const dots: Dot[] = []
  for (const { dot, value } of registers) {
    dots.push(dot)
    if (isMerged(value)) dots.push(...dotsOf(value))
  }
  for (const { dot } of ids) dots.push(dot)
  return dots
}
