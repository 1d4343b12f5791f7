import { ensure, type Checker, type CheckerFactory } from './checker.js'
import { firstNotBefore } from './monotonic-writes.js'

const NAME = 'G4 WritesFollowReads'

/** A browser's writes order after everything it had read, on every node. */
export const writesFollowReads: CheckerFactory = (): Checker => ({
  name: NAME,
  committed(exchange, _process, event) {
    const older = firstNotBefore(exchange.ask.seen.read, exchange, event)
    ensure(
      older === undefined,
      NAME,
      () => `${exchange.ask.browser} writes at ${exchange.node.name} before the ${older ?? ''} it read`,
    )
  },
})
