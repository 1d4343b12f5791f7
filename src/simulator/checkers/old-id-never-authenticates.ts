import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I20 OldIdNeverAuthenticates'

/** Where a rotation has been applied, the old id finds nothing any more. */
export const oldIdNeverAuthenticates: CheckerFactory = ({ oracle }): Checker => ({
  name: NAME,
  found({ ask, node }, { replica }, { birth }) {
    const added = oracle.history(birth).naming.find(({ id }) => id === ask.id?.hash)?.dot
    const removers = added === undefined ? undefined : oracle.removers.get(added)
    const isRemoved = removers?.some((dot) => replica.state.context.has(dot)) === true
    ensure(!isRemoved, NAME, () => `${node.name} serves ${ask.browser} by a rotated id`)
  },
})
