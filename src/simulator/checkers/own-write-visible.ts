import { sameDot } from '../../session/session.js'
import { dotText, eventText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I11 OwnWriteVisible'

/** What a process has just written is the value it holds; what it has just killed is gone. */
export const ownWriteVisible: CheckerFactory = (): Checker => ({
  name: NAME,
  made(node, { replica: { state } }, event) {
    ensure(state.context.has(event.dot), NAME, () => `${node.name} does not count its own ${dotText(event.dot)}`)
    if (event.type === 'revoke') return
    const session = state.live.get(event.birth)
    if (event.type === 'kill') {
      ensure(session === undefined, NAME, () => `${node.name} holds what it killed: ${eventText(event)}`)
      return
    }
    // A later event of the same step may have ended it.
    if (session === undefined) return
    for (const { name } of event.writes) {
      const register = session.register(name)
      const isVisible = register !== undefined && sameDot(register.dot, event.dot)
      ensure(isVisible, NAME, () => `${node.name} does not show its own write: ${eventText(event)}`)
    }
  },
})
