import { firstOlder } from '../seen.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'G2 MonotonicReads'

/** A browser never reads an attribute as it was before what that browser has already read (I4 for reads). */
export const monotonicReads: CheckerFactory = (scene): Checker => ({
  name: NAME,
  found({ ask, node }, process, answer) {
    if (answer.stale || ask.stamp === undefined || scene.mayShowOlder(process)) return
    const older = firstOlder(ask.seen.read, process.replica.state.live.get(answer.birth)?.registers ?? [])
    ensure(
      older === undefined,
      NAME,
      () => `${ask.browser} reads at ${node.name} an older ${older ?? ''} than before`,
    )
  },
})
