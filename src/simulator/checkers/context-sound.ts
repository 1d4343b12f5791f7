import type { Event } from '../../replica/events.js'
import type { SessionState } from '../../replica/sessions/session-state.js'
import type { ReplicaState } from '../../replica/state.js'
import { dotText, eventText } from '../transcript.js'
import { ensure, type Checker, type CheckerFactory } from './checker.js'

const NAME = 'I6 ContextSound'

/** A context claims nothing that is not reflected: what it claims is never looked at again. */
export const contextSound: CheckerFactory = ({ nodes, oracle }): Checker => ({
  name: NAME,
  stepped(node, { replica: { state }, observation }) {
    for (const dot of observation.claimed) {
      const event = oracle.events.get(dot)
      ensure(event !== undefined, NAME, () => `${node.name} claims ${dotText(dot)}, which never happened`)
      const session = event.type === 'revoke' ? undefined : state.live.get(event.birth)
      ensure(
        isReflected(event, state, session),
        NAME,
        () => `${node.name} claims but does not reflect: ${eventText(event)}`,
      )
    }
  },
  swept() {
    for (const { process, name } of nodes) {
      if (process === undefined) continue
      const { state } = process.replica
      const check = (event: Event, session: SessionState | undefined): void => {
        if (!state.context.has(event.dot)) return
        ensure(isReflected(event, state, session), NAME, () => `${name} claims but does not reflect: ${eventText(event)}`)
      }
      for (const { birth, changes, kills } of oracle.sessions.values()) {
        const session = state.live.get(birth)
        // Of what is dead all events are reflected.
        if (session === undefined && state.isDead(birth)) continue
        for (const event of changes) check(event, session)
        for (const event of kills) check(event, session)
      }
      for (const event of oracle.revocations) check(event, undefined)
    }
  },
})

/** `session`: the one that the event is of, where it is held. */
function isReflected(event: Event, state: ReplicaState, session: SessionState | undefined): boolean {
  if (event.type === 'revoke') {
    const held = state.revocations.get(event.principal)
    return held !== undefined && held.hlc >= event.hlc
  }
  if (session === undefined) return state.isDead(event.birth)
  if (event.type === 'kill' || !session.includes(event.dot)) return false
  return event.type !== 'create' || session.isComplete
}
