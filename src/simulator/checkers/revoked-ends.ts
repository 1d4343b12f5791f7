import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'E4 RevokedEnds'

/** Logging out everywhere ends every session of that person, also one whose log-in arrived later than the news. */
export const revokedEnds: CheckerFactory = ({ nodes, oracle }): Checker => ({
  name: NAME,
  settled() {
    for (const { process, name } of nodes) {
      const state = process?.replica.state
      if (state === undefined) continue
      const known = oracle.revocations.filter((event) => state.context.has(event.dot))
      for (const session of state.live.values()) {
        const { principal } = session
        const revoked = known.find((event) => event.principal === principal?.value && principal.hlc <= event.hlc)
        ensure(
          revoked === undefined,
          NAME,
          () => `${name} still holds ${dotText(session.birth)} of ${revoked?.principal ?? ''}`,
        )
      }
    }
  },
})
