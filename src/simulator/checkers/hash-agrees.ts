import type { SimulatedNode } from '../node.js'
import { holdSame } from './convergence.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I12 HashAgrees'

/** Nodes with equal contexts hold equal sessions. */
export const hashAgrees: CheckerFactory = ({ nodes }): Checker => ({
  name: NAME,
  swept() {
    const first = new Map<string, SimulatedNode>()
    for (const node of nodes) {
      if (node.process === undefined) continue
      const context = JSON.stringify(node.process.replica.state.context.entries())
      const other = first.get(context)
      if (other?.process === undefined) {
        first.set(context, node)
        continue
      }
      ensure(
        holdSame(other.process.replica, node.process.replica),
        NAME,
        () => `${other.name} and ${node.name} have the same events and different sessions`,
      )
    }
  },
})
