import { DotMap } from '../../replica/dot-map.js'
import type { EndReason, Dot, IdHash } from '../../session/session.js'
import type { Process } from '../node.js'
import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'
import { isBornBefore } from './expected.js'

const NAME = 'I22 OneIdOneSession'
/** Less than the 15 s that count, milliseconds. */
const ABSENT_MS = 10_000
/** These ends are of one session, not of its id. */
const OF_ONE: ReadonlySet<EndReason> = new Set<EndReason>(['duplicate', 'expired'])

/**
 * Of the sessions that several nodes made under one id, one answers to it everywhere in the end. It is the one with the
 * smallest birth that is not over for another reason: as a duplicate ends only what has the id of an earlier one, by its
 * own maker while that one is there. A logout ends whatever the node that does it knows to have the id, and whatever those
 * who hear of it made under it.
 */
export const oneIdOneSession: CheckerFactory = (scene): Checker => {
  const { nodes, network, oracle, hasWrongClocks } = scene
  if (!scene.twins) return { name: NAME }
  /** By process: sessions whose creation has arrived, and with it their id. */
  const arrived = new WeakMap<Process, DotMap<true>>()
  /** Ids that the session still has, as far as the process knows, and which others were made under. */
  const sharedIds = ({ replica: { state } }: Process, birth: Dot): readonly IdHash[] => {
    return oracle.history(birth).naming.flatMap(({ id, dot }) => {
      const isRemoved = oracle.removers.get(dot)?.some((remover) => state.context.has(remover)) === true
      return oracle.shared.has(id) && !isRemoved ? [id] : []
    })
  }
  const holders = ({ replica: { state } }: Process, hash: IdHash): readonly Dot[] =>
    (oracle.shared.get(hash) ?? []).flatMap(({ birth }) => {
      return state.live.get(birth)?.ids.some((id) => id.hash === hash) === true ? [birth] : []
    })
  return {
    name: NAME,
    stepped(_node, process) {
      for (const birth of process.observation.touched) {
        if (process.replica.state.live.get(birth)?.isComplete !== true) continue
        const known = arrived.get(process) ?? new DotMap()
        arrived.set(process, known)
        known.set(birth, true)
      }
    },
    made(node, process, event) {
      if (event.type !== 'kill' || event.reason !== 'duplicate') return
      const { birth } = event
      const first = sharedIds(process, birth).flatMap((hash) => holders(process, hash)).find((other) => isBornBefore(other, birth))
      ensure(first !== undefined, NAME, () => `${node.name} ends ${dotText(birth)} as a duplicate of nothing`)
      const absentMs = scene.now - network.heardAt(birth.actor, process.actor)
      ensure(birth.actor === process.actor || hasWrongClocks || absentMs >= ABSENT_MS, NAME, () => {
        return `${node.name} ends ${dotText(birth)}, whose maker it heard ${Math.round(absentMs)} ms ago`
      })
    },
    ended(node, process, birth, reason, local) {
      if (OF_ONE.has(reason) || process.replica.roster.isFenced || arrived.get(process)?.has(birth) !== true) return
      for (const hash of sharedIds(process, birth)) {
        const left = holders(process, hash).find((other) => local || other.actor === process.actor)
        const isNew = left !== undefined && process.observation.made.some(({ dot }) => dot.counter === left.counter)
        ensure(left === undefined || isNew, NAME, () => {
          return `${node.name} keeps ${dotText(left ?? birth)} after the logout of ${dotText(birth)}, which had the same id`
        })
      }
    },
    settled() {
      for (const hash of oracle.shared.keys()) {
        const held = nodes.flatMap(({ process, name }) => {
          return process === undefined ? [] : [{ name, births: holders(process, hash).map(dotText).join(' and ') }]
        })
        const [first] = held
        const other = held.find(({ births }) => births !== first?.births || births.includes(' '))
        ensure(other === undefined, NAME, () => {
          return `${hash} is ${first?.births ?? ''} on ${first?.name ?? ''} and ${other?.births ?? ''} on ${other?.name ?? ''}`
        })
      }
    },
  }
}
