import { dotText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I10 DotUnique'

/** No two events carry the same dot. */
export const dotUnique: CheckerFactory = ({ oracle }): Checker => ({
  name: NAME,
  made(node, _process, event) {
    ensure(!oracle.events.has(event.dot), NAME, () => `${node.name} uses ${dotText(event.dot)} again`)
  },
})
