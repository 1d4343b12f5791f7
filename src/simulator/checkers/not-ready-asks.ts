import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'E3 NotReadyAsks'

/** A node that is not ready serves nothing that it has not asked its peers about. */
export const notReadyAsks: CheckerFactory = (scene): Checker => ({
  name: NAME,
  found({ arrivedAt, node }, { replica }, { birth }) {
    const isAsked = replica.roster.isReady || scene.now > arrivedAt
    ensure(isAsked, NAME, () => `${node.name} serves ${dotText(birth)} at once and is not ready`)
  },
})
