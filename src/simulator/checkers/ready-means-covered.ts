import type { ContextEntry } from '../../replica/events.js'
import type { Process } from '../node.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I13 ReadyMeansCovered'

/** A node that says it is ready has everything that the peers it met had when it met them. */
export const readyMeansCovered: CheckerFactory = (): Checker => {
  const met = new WeakMap<Process, Map<number, readonly ContextEntry[]>>()
  return {
    name: NAME,
    linked(_node, process, to) {
      if (process.replica.roster.isReady || to.process === undefined) return
      const barriers = met.get(process) ?? new Map<number, readonly ContextEntry[]>()
      met.set(process, barriers)
      if (!barriers.has(to.process.actor))
        barriers.set(to.process.actor, to.process.replica.state.context.entries())
    },
    ready(node, process) {
      for (const peer of process.replica.roster.peers.values()) {
        const barrier = met.get(process)?.get(peer.member.actor)
        // A peer that never said what it has cannot be waited for.
        if (barrier === undefined || peer.digest === undefined) continue
        const isCovered = process.replica.state.context.covers(barrier)
        ensure(isCovered, NAME, () => `${node.name} is ready and lacks what ${peer.member.node} had`)
      }
    },
  }
}
