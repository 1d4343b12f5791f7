import type { CheckerFactory } from './checker.js'
import { everySession, FoundRight, wrongRegister } from './expected.js'

const NAME = 'I3 ExactWinner'

/** Every plain attribute of every session is the greatest write among the events included. */
export const exactWinner: CheckerFactory = ({ nodes, oracle }) => {
  return everySession(NAME, nodes, new FoundRight(oracle, wrongRegister))
}
