import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I2 NoResurrection'

/** Once a process knows a session to be dead it never holds it again; what was killed is alive nowhere in the end. */
export const noResurrection: CheckerFactory = ({ nodes, oracle }): Checker => ({
  name: NAME,
  stepped(node, { observation }) {
    const { revived } = observation
    ensure(
      revived === undefined,
      NAME,
      () => `${node.name} holds ${revived === undefined ? '' : dotText(revived)} again`,
    )
  },
  settled() {
    for (const { birth, kills } of oracle.sessions.values()) {
      for (const { process, name } of nodes) {
        const state = process?.replica.state
        const isKnown = state !== undefined && kills.some((kill) => state.context.has(kill.dot))
        ensure(!isKnown || !state.live.has(birth), NAME, () => `${name} still holds ${dotText(birth)}`)
      }
    }
  },
})
