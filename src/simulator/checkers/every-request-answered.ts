import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'L1 EveryRequestAnswered'

/** No request waits for ever. */
export const everyRequestAnswered: CheckerFactory = (scene): Checker => ({
  name: NAME,
  settled() {
    const waiting = scene.waiting()
    const first = waiting[0]
    ensure(first === undefined, NAME, () => {
      return `${waiting.length} requests wait, the first since ${Math.round(scene.now - (first?.arrivedAt ?? 0))} ms at ${first?.node.name ?? ''}`
    })
  },
})
