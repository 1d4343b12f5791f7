import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'E5 UnknownUnheard'
/** Less than the 15 s that count, as clocks that drift count them, milliseconds. */
const HEARD_WITHIN_MS = 10_000

/**
 * An id of ours whose maker runs and was heard lately is not taken for unknown while its session may be on its way, whatever is
 * cut: the browser would lose its session without notice, where "try again" keeps it.
 */
export const unknownUnheard: CheckerFactory = (scene): Checker => ({
  name: NAME,
  none({ ask, node }, { actor }, { why }) {
    const { id } = ask
    if (why !== 'unknown' || id === undefined || id.origin === null || scene.hasWrongClocks) return
    const added = scene.oracle.ids.get(id.hash)
    if (added === undefined || scene.oracle.removers.has(added)) return
    if (scene.oracle.history(id.birth).kills.length > 0) return
    const maker = scene.nodes.find(({ process }) => process?.actor === added.actor)
    if (maker === undefined) return
    const sinceMs = scene.now - scene.network.heardAt(added.actor, actor)
    ensure(sinceMs >= HEARD_WITHIN_MS, NAME, () => {
      return `${node.name} takes ${id.hash} for unknown, and heard ${maker.name} that made it ${Math.round(sinceMs)} ms ago`
    })
  },
})
