import type { Process, SimulatedNode } from '../node.js'
import type { Dot } from '../../session/session.js'
import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I7 KillEvidence'

/** Whoever knows a session to be dead can prove it to others: by its kill record, or by a floor that covers its kill. */
export const killEvidence: CheckerFactory = ({ nodes, oracle }): Checker => {
  const check = (node: SimulatedNode, { replica: { state } }: Process, birth: Dot): void => {
    if (!state.context.has(birth) || state.live.has(birth) || state.kills.has(birth)) return
    const { kills } = oracle.history(birth)
    const isCovered = kills.some(({ dot }) => (state.floor.get(dot.actor) ?? 0) >= dot.counter)
    ensure(isCovered, NAME, () => `${node.name} cannot prove that ${dotText(birth)} is dead`)
  }
  return {
    name: NAME,
    stepped(node, process) {
      for (const birth of process.observation.touched) check(node, process, birth)
      for (const dot of process.observation.claimed) {
        if (oracle.events.get(dot)?.type === 'create') check(node, process, dot)
      }
    },
    swept() {
      for (const node of nodes) {
        if (node.process === undefined) continue
        for (const { birth } of oracle.sessions.values()) check(node, node.process, birth)
      }
    },
  }
}
