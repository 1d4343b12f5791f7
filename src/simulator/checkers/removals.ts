import { DotMap } from '../../replica/dot-map.js'
import { isIncluded } from '../../replica/sessions/id-set.js'
import type { SessionEvent } from '../../replica/sessions/session-state.js'
import type { Dot } from '../../session/session.js'
import type { Oracle } from '../oracle.js'
import { eraOf, type Written } from '../seen.js'

/**
 * Which additions of a set each removal removed: those that its author held, as the events say that were included
 * there. What another one had removed before is not among them, so whoever lacks that one still holds it.
 */
export class Removals {
  readonly #oracle: Oracle
  /** By the event that removes: per element, the additions that were held. */
  readonly #held = new DotMap<ReadonlyMap<number, readonly Dot[]>>()

  constructor(oracle: Oracle) {
    this.#oracle = oracle
  }

  /** A removal was made; what was made before it is known. */
  note(event: SessionEvent, name: string): void {
    const intent = this.#oracle.intent(event.dot, name)
    if (intent?.type !== 'set' || intent.remove.length === 0) return
    const held = new Map<number, readonly Dot[]>()
    for (const [element = 0] of intent.remove) held.set(element, this.#additions(event, name, element))
    this.#held.set(event.dot, held)
  }

  /** Whether the event removes this addition: also a later one of the same actor stands for it. */
  covers(remover: Dot, element: number, added: Dot): boolean {
    return isIncluded(added, this.#held.get(remover)?.get(element) ?? [])
  }

  /** Those of one element that the author of `event` held. */
  #additions(event: SessionEvent, name: string, element: number): readonly Dot[] {
    const { version = [] } = this.#oracle.asked.get(event.dot) ?? {}
    const era = eraIn(event, name)
    const before = this.#oracle.history(event.birth).merging.get(name)?.filter((other) => {
      return isIncluded(other.event.dot, version) && other.era.hlc === era?.hlc && other.era.actor === era.actor
    })
    const added: Dot[] = []
    for (const { event: { dot } } of before ?? []) {
      const intent = this.#oracle.intent(dot, name)
      if (intent?.type === 'set' && intent.add.some(([other]) => other === element)) added.push(dot)
    }
    return added.filter((dot) => !before?.some((other) => this.covers(other.event.dot, element, dot)))
  }
}

function eraIn({ hlc, dot, writes }: SessionEvent, name: string): Written | undefined {
  const write = writes.find((candidate) => candidate.name === name)
  return write === undefined ? undefined : eraOf(write.value, { hlc, actor: dot.actor })
}
