import type { SessionState } from '../../replica/session-state.js'
import type { SessionEvent } from '../../replica/session-state.js'
import { sameDot, type Dot } from '../../session/session.js'
import type { History } from '../oracle.js'
import { dotText } from '../transcript.js'

/** Sessions as they were found right: what they are made of is replaced when it changes, never changed in place. */
export class FoundRight {
  readonly #known = new WeakMap<SessionState, readonly unknown[]>()

  /** Checks what is not known to be right yet. */
  wrong(session: SessionState, check: () => string | undefined): string | undefined {
    const { registers, ids, version } = session
    const known = this.#known.get(session)
    if (known?.[0] === registers && known[1] === ids && known[2] === version) return undefined
    const wrong = check()
    if (wrong === undefined) this.#known.set(session, [registers, ids, version])
    return wrong
  }
}

/**
 * What a session must be, recomputed from the events it includes (PROTOCOL 1.9): per attribute the greatest write by
 * (hlc, actor). Answers with what is wrong, if anything.
 */
export function wrongRegister(session: SessionState, history: History): string | undefined {
  const winners = new Map<string, SessionEvent>()
  for (const event of history.changes) {
    if (!session.includes(event.dot)) continue
    for (const { name } of event.writes) {
      const held = winners.get(name)
      if (held === undefined || isGreater(event, held)) winners.set(name, event)
    }
  }
  for (const register of session.registers) {
    const winner = winners.get(register.name)
    if (winner === undefined || !sameDot(winner.dot, register.dot)) {
      return `${nameOf(register.name)} is by ${dotText(register.dot)}, not by ${winner === undefined ? 'nobody' : dotText(winner.dot)}`
    }
  }
  if (session.registers.length === winners.size) return undefined
  const missing = [...winners.keys()].find((name) => session.register(name) === undefined)
  return `${nameOf(missing ?? '?')} is missing`
}

/** Ids = those added by included events, minus those removed by included events. */
export function wrongIds(session: SessionState, history: History): string | undefined {
  const removed: Dot[] = []
  let added = 0
  for (const event of history.changes) {
    if (event.type === 'rotate' && session.includes(event.dot)) removed.push(...event.drops)
  }
  for (const event of history.changes) {
    if (event.type === 'write' || !session.includes(event.dot)) continue
    const isValid = !removed.some((dot) => sameDot(dot, event.dot))
    const isHeld = session.ids.some((id) => id.hash === event.id && sameDot(id.dot, event.dot))
    if (isValid !== isHeld) return `id ${event.id} of ${dotText(event.dot)} is ${isHeld ? 'held' : 'missing'}`
    if (isValid) added++
  }
  return session.ids.length === added ? undefined : `${session.ids.length} ids held, ${added} expected`
}

function isGreater(a: SessionEvent, b: SessionEvent): boolean {
  return a.hlc > b.hlc || (a.hlc === b.hlc && a.dot.actor > b.dot.actor)
}

function nameOf(name: string): string {
  return name.replace('\u0000', '@')
}
