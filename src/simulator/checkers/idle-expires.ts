import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I16 IdleExpires'

/** Sessions that nobody uses end everywhere once all nodes can answer. */
export const idleExpires: CheckerFactory = ({ nodes }): Checker => ({
  name: NAME,
  idled() {
    for (const { process, name, now } of nodes) {
      for (const session of process?.replica.state.live.values() ?? []) {
        const overdueMs = now - session.expiresAt
        ensure(!session.isComplete || session.expiresAt === Infinity, NAME, () => {
          return `${name} still holds ${dotText(session.birth)}, overdue by ${Math.round(overdueMs)} ms`
        })
      }
    }
  },
})
