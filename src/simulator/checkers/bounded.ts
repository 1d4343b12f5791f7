import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I21 Bounded'
/** Kills that may come between two moments of forgetting. */
const KILLS_IN_BETWEEN = 500

/** Tables stay within their bounds at all times. */
export const bounded: CheckerFactory = ({ nodes, oracle, killsMax }): Checker => ({
  name: NAME,
  swept() {
    for (const { process, name } of nodes) {
      if (process === undefined) continue
      const { state } = process.replica
      ensure(
        state.kills.size <= killsMax + KILLS_IN_BETWEEN,
        NAME,
        () => `${name} keeps ${state.kills.size} kill records`,
      )
      for (const session of state.live.values()) {
        const { changes } = oracle.history(session.birth)
        const most = changes.length
        ensure(
          session.ids.length <= most && session.removedIds.length <= most,
          NAME,
          () => `${name} holds more ids than were made`,
        )
      }
    }
  },
})
