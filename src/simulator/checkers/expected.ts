import { isIncluded } from '../../replica/sessions/id-set.js'
import type { SessionState } from '../../replica/sessions/session-state.js'
import { sameDot, type Dot } from '../../session/session.js'
import { isMergingAttribute } from '../merging.js'
import type { SimulatedNode } from '../node.js'
import type { History, NamingEvent, Oracle } from '../oracle.js'
import { dotText } from '../transcript.js'
import { ensure, type Checker } from './checker.js'

/** What was found right of one session: what it is made of is replaced when it changes, never changed in place. */
interface Parts {
  registers: SessionState['registers']
  ids: SessionState['ids']
  version: SessionState['version']
}

/** Sessions as they were found right, to be checked again only when they changed. */
export class FoundRight {
  readonly #oracle: Oracle
  readonly #check: (session: SessionState, history: History) => string | undefined
  readonly #known = new WeakMap<SessionState, Parts>()

  /** `check` answers with what is wrong, if anything. */
  constructor(oracle: Oracle, check: (session: SessionState, history: History) => string | undefined) {
    this.#oracle = oracle
    this.#check = check
  }

  /** Checks what is not known to be right yet. */
  wrong(session: SessionState): string | undefined {
    const { registers, ids, version } = session
    const known = this.#known.get(session)
    if (known?.registers === registers && known.ids === ids && known.version === version) return undefined
    const wrong = this.#check(session, this.#oracle.history(session.birth))
    if (wrong !== undefined) return wrong
    if (known === undefined) this.#known.set(session, { registers, ids, version })
    else Object.assign(known, { registers, ids, version })
    return undefined
  }
}

/** Has every session checked that a step touched, and now and then all that are held. */
export function everySession(name: string, nodes: readonly SimulatedNode[], checked: FoundRight): Checker {
  const check = (node: SimulatedNode, session: SessionState): void => {
    const wrong = checked.wrong(session)
    ensure(wrong === undefined, name, () => `${node.name}, ${dotText(session.birth)}: ${wrong ?? ''}`)
  }
  return {
    name,
    stepped(node, { replica, observation }) {
      for (const birth of observation.touched) {
        const session = replica.state.live.get(birth)
        if (session !== undefined) check(node, session)
      }
    },
    swept() {
      for (const node of nodes) {
        for (const session of node.process?.replica.state.live.values() ?? []) check(node, session)
      }
    },
  }
}

/**
 * What a session must be, recomputed from the events it includes (PROTOCOL 1.9): per plain attribute the greatest write
 * by (hlc, actor). Answers with what is wrong, if anything.
 */
export function wrongRegister(session: SessionState, history: History): string | undefined {
  const { registers, version } = session
  let witnessed = 0
  for (const [name, writes] of history.plain) {
    const winner = writes.findLast(({ dot }) => isIncluded(dot, version))
    if (winner === undefined) continue
    const register = registers.find((held) => held.name === name)
    if (register === undefined) return `${nameOf(name)} is missing`
    if (!sameDot(register.dot, winner.dot))
      return `${nameOf(name)} is by ${dotText(register.dot)}, not by ${dotText(winner.dot)}`
    witnessed++
  }
  // Every register is a write of an included event.
  const merges = history.merging.size > 0
  const plain = merges ? registers.filter(({ name }) => !isMergingAttribute(name)).length : registers.length
  if (witnessed === plain) return undefined
  return `${plain - witnessed} attributes are by events that are not included`
}

/** Ids = those added by included events, minus those removed by included events. */
export function wrongIds(session: SessionState, { naming }: History): string | undefined {
  const { ids, version } = session
  let added = 0
  for (const event of naming) {
    if (!isIncluded(event.dot, version)) continue
    const isValid = !naming.some((other) => isRemovedBy(other, event.dot) && isIncluded(other.dot, version))
    const isHeld = ids.some((id) => id.hash === event.id && sameDot(id.dot, event.dot))
    if (isValid !== isHeld) return `id ${event.id} of ${dotText(event.dot)} is ${isHeld ? 'held' : 'missing'}`
    if (isValid) added++
  }
  return ids.length === added ? undefined : `${ids.length} ids held, ${added} expected`
}

/** Of sessions with one id, the first answers to it. */
export function isBornBefore(a: Dot, b: Dot): boolean {
  return a.actor < b.actor || (a.actor === b.actor && a.counter < b.counter)
}

function isRemovedBy(event: NamingEvent, id: Dot): boolean {
  return event.type === 'rotate' && event.drops.some((dot) => sameDot(dot, id))
}

function nameOf(name: string): string {
  return name.replace('\u0000', '@')
}
