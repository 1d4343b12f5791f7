import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'
import { FoundRight, wrongRegister } from './expected.js'

const NAME = 'I3 ExactWinner'

/** Every attribute of every session is the greatest write among the events included. */
export const exactWinner: CheckerFactory = ({ nodes, oracle }): Checker => {
  const checked = new FoundRight(oracle, wrongRegister)
  return {
    name: NAME,
    stepped(node, { replica, observation }) {
      for (const birth of observation.touched) {
        const session = replica.state.live.get(birth)
        if (session === undefined) continue
        const wrong = checked.wrong(session)
        ensure(wrong === undefined, NAME, () => `${node.name}, ${dotText(birth)}: ${wrong ?? ''}`)
      }
    },
    swept() {
      for (const { process, name } of nodes) {
        for (const session of process?.replica.state.live.values() ?? []) {
          const wrong = checked.wrong(session)
          ensure(wrong === undefined, NAME, () => `${name}, ${dotText(session.birth)}: ${wrong ?? ''}`)
        }
      }
    },
  }
}
