import { firstOlder } from '../seen.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'G1 ReadYourWrites'

/** A browser never reads an attribute as it was before that browser wrote it (Terry et al. 1994). */
export const readYourWrites: CheckerFactory = (scene): Checker => ({
  name: NAME,
  found({ ask, node }, process, answer) {
    if (answer.stale || ask.stamp === undefined || scene.mayShowOlder(process)) return
    const older = firstOlder(ask.seen.written, process.replica.state.live.get(answer.birth)?.registers ?? [])
    ensure(
      older === undefined,
      NAME,
      () => `${ask.browser} reads at ${node.name} an older ${older ?? ''} than it wrote`,
    )
  },
})
