import { STAMP_DOTS_MAX } from '../../replica/stamp.js'
import type { Dot } from '../../session/session.js'
import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I14 StampSound'

/** What a stamp leaves out, every member that runs has: nobody can serve the browser something older. */
export const stampSound: CheckerFactory = ({ nodes }): Checker => ({
  name: NAME,
  found({ ask, node }, { replica }, { birth, stamp, stale }) {
    const session = replica.state.live.get(birth)
    ensure(stamp.dots.length <= STAMP_DOTS_MAX, NAME, () => `${stamp.dots.length} events in one stamp`)
    if (session === undefined || stale || stamp.dots.length === STAMP_DOTS_MAX) return
    const isListed = (dot: Dot): boolean =>
      stamp.dots.some((kept) => kept.actor === dot.actor && kept.counter >= dot.counter)
    const leftOut = [...session.version, ...(ask.stamp?.dots ?? [])].filter((dot) => !isListed(dot))
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
