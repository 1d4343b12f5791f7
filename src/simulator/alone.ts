import { Context } from '../replica/context.js'
import type { Process, SimulatedNode } from './node.js'

/**
 * Processes that started with an older copy of what their node held, heard of nobody for as long as a node waits, and
 * serve: what they show may be older than what browsers have seen, until they have what the others had.
 */
export class Alone {
  readonly #lacks = new Map<Process, Context>()

  /** A process says that it is ready. */
  ready(process: Process, nodes: readonly SimulatedNode[]): void {
    const hasHeard = [...process.replica.roster.peers.values()].some(({ digest }) => digest !== undefined)
    if (!process.isRestored || hasHeard) return
    const known = new Context()
    for (const node of nodes) if (node.process !== undefined) known.join(node.process.replica.state.context.entries())
    this.#lacks.set(process, known)
  }

  mayShowOlder(process: Process): boolean {
    const lacking = this.#lacks.get(process)
    if (lacking === undefined) return false
    if (!process.replica.state.context.covers(lacking.entries())) return true
    this.#lacks.delete(process)
    return false
  }
}
