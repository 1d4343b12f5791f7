import { dotsOf } from '../../replica/merge/merged.js'
import { isMerged } from '../../replica/merge/register.js'
import { isOverfull } from '../../replica/stamp.js'
import type { Dot } from '../../session/session.js'
import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I14 StampSound'

/** What is shown and not listed, every member that runs has: nobody can serve the browser something older. */
export const stampSound: CheckerFactory = ({ nodes, stampDotsMax }): Checker => ({
  name: NAME,
  found({ node }, { replica }, { birth, stamp, stale }) {
    const session = replica.state.live.get(birth)
    ensure(stamp.dots.length <= stampDotsMax, NAME, () => `${stamp.dots.length} events in one stamp`)
    if (session === undefined || stale || isOverfull(stamp)) return
    const isListed = (dot: Dot): boolean =>
      stamp.dots.some((kept) => kept.actor === dot.actor && kept.counter >= dot.counter)
    const leftOut: Dot[] = []
    for (const { dot, value } of session.registers) {
      if (!isListed(dot)) leftOut.push(dot)
      if (isMerged(value)) leftOut.push(...dotsOf(value).filter((part) => !isListed(part)))
    }
    for (const { dot } of session.ids) if (!isListed(dot)) leftOut.push(dot)
    if (leftOut.length === 0) return
    ensure(replica.roster.knowsAll, NAME, () => `${node.name} drops ${leftOut.map(dotText).join(' ')}, and has not met everybody`)
    for (const member of replica.roster.others()) {
      const process = nodes.find((other) => other.process?.actor === member.actor)?.process
      if (process === undefined) continue
      const { context, live } = process.replica.state
      // A fragment includes earlier events of an actor with its latest one, before the context can name them.
      const lacking = leftOut.find((dot) => !context.has(dot) && live.get(birth)?.includes(dot) !== true)
      ensure(lacking === undefined, NAME, () => {
        return `${node.name} drops ${lacking === undefined ? '' : dotText(lacking)}, which ${member.node} lacks`
      })
    }
  },
})
