import { DotMap } from '../../replica/dot-map.js'
import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I19 KilledNotServed'

interface Ended {
  readonly at: number
  readonly holders: ReadonlySet<number>
  readonly everywhere: boolean
}

/** After a confirmed log-out no node that confirmed it serves the session, and without faults none at all. */
export const killedNotServed: CheckerFactory = (scene): Checker => {
  const { nodes, calm } = scene
  const ended = new DotMap<Ended>()
  return {
    name: NAME,
    committed(_exchange, _process, event, outcome) {
      if (event.type !== 'kill' || outcome !== 'done') return
      const running = nodes.flatMap(({ process }) => (process === undefined ? [] : [process]))
      const holders = running.filter((process) => process.replica.state.context.has(event.dot))
      const everywhere = holders.length === nodes.length
      ended.set(event.birth, { at: scene.now, holders: new Set(holders.map(({ actor }) => actor)), everywhere })
    },
    found({ arrivedAt, node }, { actor }, { birth }) {
      const end = ended.get(birth)
      if (end === undefined || arrivedAt < end.at) return
      const mustKnow = end.holders.has(actor) || (end.everywhere && calm.since < end.at)
      ensure(!mustKnow, NAME, () => `${node.name} serves ${dotText(birth)} after its confirmed end`)
    },
  }
}
