import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I15 ActiveNotExpired'

/** Nobody ends a session as expired that a browser used lately, unless the only node that knew is gone. */
export const activeNotExpired: CheckerFactory = (scene): Checker => ({
  name: NAME,
  made(node, _process, event) {
    if (event.type !== 'kill' || event.reason !== 'expired') return
    const history = scene.oracle.history(event.birth)
    const create = history.changes[0]
    // Whoever has not heard yet that it was ended for another reason may find nobody left who used it.
    if (create?.type !== 'create' || history.kills.length > 0) return
    const { maxIdleMs, maxLifeMs } = create.base
    if (scene.now - history.createdAt >= maxLifeMs - scene.skewMs) return
    if (!nodeStillRuns(scene.nodes, history.accessedBy) || history.accessClockWrong) return
    // A node without any link believes its clock: its sessions count their absolute lifetime from the wrong moment.
    if (history.isMisdated && maxLifeMs !== Infinity) return
    const idleMs = scene.now - history.accessedAt
    ensure(idleMs >= scene.idleFrom(maxIdleMs), NAME, () => {
      return `${node.name} expired ${dotText(event.birth)}, used ${Math.round(idleMs)} ms ago of ${maxIdleMs}`
    })
  },
})

function nodeStillRuns(
  nodes: readonly { readonly process: { readonly actor: number } | undefined }[],
  actor: number,
): boolean {
  return nodes.some(({ process }) => process?.actor === actor)
}
