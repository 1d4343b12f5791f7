import type { Dot } from '../../session/session.js'
import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I18 AckedSurvives'

interface Acked {
  readonly dot: Dot
  /** Actors, not processes: those would stay in memory when they are gone. */
  readonly holders: readonly number[]
}

/** A confirmed commit is where its confirmation says, and survives as long as one of those that had it. */
export const ackedSurvives: CheckerFactory = ({ nodes }): Checker => {
  const acked: Acked[] = []
  return {
    name: NAME,
    committed({ ask, node }, { replica, actor }, { type, dot }, outcome) {
      if (outcome !== 'done') return
      const concern = type === 'create' || type === 'write' ? ask.concern : 'all'
      const holders: number[] = []
      for (const { process } of nodes) if (process?.replica.state.context.has(dot) === true) holders.push(process.actor)
      acked.push({ dot, holders })
      if (concern === 'async') return
      const confirmed = [...replica.roster.peers.values()].filter((peer) => peer.row.hasUpTo(actor, dot.counter))
      for (const { member } of confirmed) {
        const isRunning = nodes.some(({ process }) => process?.actor === member.actor)
        ensure(!isRunning || holders.includes(member.actor), NAME, () => `${node.name} counts ${member.node}, which lacks ${dotText(dot)}`)
      }
      const enough = {
        one: 1,
        quorum: Math.floor(replica.roster.size / 2),
        all: replica.roster.reachable(node.now).length,
      }
      const needed = enough[concern]
      ensure(
        confirmed.length >= needed,
        NAME,
        () => `${node.name} confirms ${concern} with ${confirmed.length} of ${needed} peers`,
      )
    },
    settled() {
      for (const { dot, holders } of acked) {
        const survives = holders.some((holder) => nodes.some((node) => node.process?.actor === holder))
        if (!survives) continue
        const lacking = nodes.find((node) => node.process?.replica.state.context.has(dot) !== true)
        ensure(lacking === undefined, NAME, () => `${lacking?.name ?? ''} never got the confirmed ${dotText(dot)}`)
      }
    },
  }
}
