import type { SessionState } from '../../replica/sessions/session-state.js'
import type { IdHash } from '../../session/session.js'
import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'
import { FoundRight, isBornBefore, wrongIds } from './expected.js'

const NAME = 'I8 ExactIds'

/**
 * A session's ids are those added minus those removed by the events included; each one finds its session, or one that was
 * born before it and has the id too.
 */
export const exactIds: CheckerFactory = ({ nodes, oracle }): Checker => {
  const checked = new FoundRight(oracle, wrongIds)
  return {
    name: NAME,
    stepped(node, { replica: { state }, observation }) {
      for (const birth of observation.touched) {
        const session = state.live.get(birth)
        if (session === undefined) continue
        const wrong = checked.wrong(session)
        ensure(wrong === undefined, NAME, () => `${node.name}, ${dotText(birth)}: ${wrong ?? ''}`)
        const lost = session.ids.find((id) => !isFound(session, state.byId(id.hash), id.hash))
        ensure(
          lost === undefined,
          NAME,
          () => `${node.name}, ${dotText(birth)}: id ${lost?.hash ?? ''} does not find it`,
        )
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

function isFound(session: SessionState, named: SessionState | undefined, hash: IdHash): boolean {
  if (named?.handle === session.handle) return true
  return named !== undefined && isBornBefore(named.birth, session.birth) && named.ids.some((id) => id.hash === hash)
}
