import type { Exchange } from '../exchange.js'
import type { Event } from '../../replica/events.js'
import { isWrittenBefore, type Versions } from '../seen.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'G3 MonotonicWrites'

/** A browser's writes order after its earlier writes, on every node. */
export const monotonicWrites: CheckerFactory = (): Checker => ({
  name: NAME,
  committed(exchange, _process, event) {
    const older = firstNotBefore(exchange.ask.seen.written, exchange, event)
    ensure(
      older === undefined,
      NAME,
      () => `${exchange.ask.browser} writes at ${exchange.node.name} before its own ${older ?? ''}`,
    )
  },
})

/** The first attribute whose version the event does not order after. Says nothing of stale answers. */
export function firstNotBefore(
  versions: Versions,
  { ask, isStale }: Exchange,
  event: Event,
): string | undefined {
  if (isStale || ask.stamp === undefined || event.type === 'create') return undefined
  const own = { hlc: event.hlc, actor: event.dot.actor }
  return versions.find((version) => !isWrittenBefore(version, own))?.name
}
