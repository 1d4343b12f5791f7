import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'E2 NoneMeansNone'
/** Without faults for this long, every node can ask every other, milliseconds. */
const CALM_MS = 5_000

/** A valid id is refused only for a reason: the log-in loop is a valid id that is refused. */
export const noneMeansNone: CheckerFactory = (scene): Checker => ({
  name: NAME,
  none({ ask, node, arrivedAt }, { replica: { state } }, { why }) {
    const { id } = ask
    if (id === undefined) return
    const sessions = scene.oracle.madeUnder(id.hash, id.birth)
    const wasKilled = sessions.some(({ kills }) => kills.length > 0)
    const wasRotated = sessions.some(({ naming }) => {
      return naming.some((event) => event.id === id.hash && scene.oracle.removers.has(event.dot))
    })
    switch (why) {
      case 'rotated':
        ensure(wasRotated || wasKilled, NAME, () => `${node.name} takes ${id.hash} for rotated`)
        return
      case 'gone': {
        const isOver = sessions.some(({ birth }) => {
          const session = state.live.get(birth)
          return session !== undefined && (state.isRevoked(session) || node.now >= session.expiresAt)
        })
        ensure(isOver || wasRotated || wasKilled, NAME, () => `${node.name} takes ${dotText(id.birth)} for gone`)
        return
      }
      case 'unknown': {
        if (wasRotated || wasKilled || scene.calm.since > arrivedAt - CALM_MS) return
        const holder = scene.nodes.find(({ process }) => process?.replica.state.byId(id.hash)?.isComplete === true)
        ensure(
          holder === undefined,
          NAME,
          () => `${node.name} does not find ${id.hash}, which ${holder?.name ?? ''} holds`,
        )
      }
    }
  },
})
