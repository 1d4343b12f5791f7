import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'E1 ActiveNotDenied'
/** Faults that ended longer ago have left no trace in what nodes know of accesses, milliseconds. */
const AFTERMATH_MS = 5_000

/** Without faults no node denies a session as idle that a browser used within its lifetime on any other node. */
export const activeNotDenied: CheckerFactory = (scene): Checker => ({
  name: NAME,
  none({ ask, node }, { replica: { state } }, { why }) {
    const { id } = ask
    if (why !== 'gone' || id === undefined) return
    const session = state.live.get(id.birth)
    const history = scene.oracle.history(id.birth)
    if (session === undefined || session.base === undefined || state.isRevoked(session)) return
    if (state.byId(id.hash)?.handle !== session.handle) return
    if (node.now >= session.base.createdAt + session.base.maxLifeMs) return
    const idleMs = scene.now - history.accessedAt
    if (scene.calm.since > history.accessedAt - AFTERMATH_MS) return
    ensure(idleMs >= scene.idleFrom(session.maxIdleMs), NAME, () => {
      return `${node.name} denies ${dotText(id.birth)}, used ${Math.round(idleMs)} ms ago of ${session.maxIdleMs}`
    })
  },
})
