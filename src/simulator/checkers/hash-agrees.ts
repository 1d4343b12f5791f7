import { canonicalText } from './convergence.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I12 HashAgrees'

/** Nodes with equal contexts hold equal sessions. */
export const hashAgrees: CheckerFactory = ({ nodes }): Checker => ({
  name: NAME,
  swept() {
    const states = new Map<string, { readonly name: string; readonly state: string }>()
    for (const { process, name } of nodes) {
      if (process === undefined) continue
      const context = JSON.stringify(process.replica.state.context.entries())
      const state = canonicalText(process.replica)
      const other = states.get(context)
      if (other === undefined) states.set(context, { name, state })
      else
        ensure(
          other.state === state,
          NAME,
          () => `${other.name} and ${name} have the same events and different sessions`,
        )
    }
  },
})
