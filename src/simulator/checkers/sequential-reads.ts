import { firstOlder } from '../seen.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'G5 SequentialReads'

/**
 * A browser that does one thing at a time never reads anything older than it has read or written: not only what its
 * stamp stands for, but all that it was ever shown. Left out is what the answers themselves left out: marked ones.
 */
export const sequentialReads: CheckerFactory = (scene): Checker => ({
  name: NAME,
  found({ ask, node }, process, answer) {
    if (answer.stale || ask.isParallel || ask.stamp === undefined || scene.mayShowOlder(process)) return
    const registers = process.replica.state.live.get(answer.birth)?.registers ?? []
    const older = firstOlder(ask.ideal.read, registers) ?? firstOlder(ask.ideal.written, registers)
    ensure(older === undefined, NAME, () => `${ask.browser} is shown at ${node.name} an older ${older ?? ''} than before`)
  },
})
