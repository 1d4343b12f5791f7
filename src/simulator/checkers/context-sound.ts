import type { Replica } from '../../replica/replica.js'
import type { Event } from '../../replica/events.js'
import { dotText, eventText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I6 ContextSound'

/** A context claims nothing that is not reflected: what it claims is never looked at again. */
export const contextSound: CheckerFactory = ({ nodes, oracle }): Checker => ({
  name: NAME,
  stepped(node, { replica, observation }) {
    for (const dot of observation.claimed) {
      const event = oracle.events.get(dot)
      ensure(event !== undefined, NAME, () => `${node.name} claims ${dotText(dot)}, which never happened`)
      ensure(
        isReflected(event, replica),
        NAME,
        () => `${node.name} claims but does not reflect: ${eventText(event)}`,
      )
    }
  },
  swept() {
    for (const { process, name } of nodes) {
      if (process === undefined) continue
      const { replica } = process
      const check = (event: Event): void => {
        if (!replica.state.context.has(event.dot)) return
        ensure(isReflected(event, replica), NAME, () => `${name} claims but does not reflect: ${eventText(event)}`)
      }
      for (const { birth, changes, kills } of oracle.sessions.values()) {
        // Of what is dead all events are reflected.
        if (replica.state.isDead(birth) && !replica.state.live.has(birth)) continue
        changes.forEach(check)
        kills.forEach(check)
      }
      oracle.revocations.forEach(check)
    }
  },
})

function isReflected(event: Event, { state }: Replica): boolean {
  if (event.type === 'revoke') {
    const held = state.revocations.get(event.principal)
    return held !== undefined && held.hlc >= event.hlc
  }
  const session = state.live.get(event.birth)
  if (session === undefined) return state.isDead(event.birth)
  if (event.type === 'kill' || !session.includes(event.dot)) return false
  return event.type !== 'create' || session.isComplete
}
