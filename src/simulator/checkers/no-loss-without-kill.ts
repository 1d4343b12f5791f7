import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I5 NoLossWithoutKill'

/** No process gives up a session that nobody killed, and what was created and not killed is there in the end. */
export const noLossWithoutKill: CheckerFactory = ({ nodes, oracle }): Checker => ({
  name: NAME,
  ended(node, _process, birth, reason) {
    ensure(
      oracle.history(birth).kills.length > 0,
      NAME,
      () => `${node.name} ended ${dotText(birth)} as ${reason}, nobody killed it`,
    )
  },
  settled() {
    for (const { birth, kills, changes } of oracle.sessions.values()) {
      if (kills.length > 0 || changes[0]?.type !== 'create') continue
      for (const { process, name } of nodes) {
        const state = process?.replica.state
        if (state === undefined || !state.context.has(birth)) continue
        ensure(state.live.has(birth), NAME, () => `${name} lost ${dotText(birth)}`)
      }
    }
  },
})
