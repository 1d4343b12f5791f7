import { Compared } from './compared.js'

/** By this a copy of what was handed out is known again, whoever made it. JSON leaves it out. */
class Mark {
  toJSON(): undefined {
    return undefined
  }
}

const MARK = 'sessionMeshBaseline'

/** What `get` answers to somebody who may copy it without a word. */
export class Handed {
  readonly [name: string]: unknown
}

/**
 * Inherited, so whoever lists, spreads or prints what was handed out does not see it; `for … in`, by which @fastify/session
 * copies, does.
 */
Object.defineProperty(Handed.prototype, MARK, {
  enumerable: true,
  get(this: Handed) {
    const mark = new Mark()
    const baseline = Compared.baselineOf(this)
    if (baseline !== undefined) Compared.note(mark, baseline)
    return mark
  },
  // An attribute of this name is one like all others.
  set(this: Handed, value: unknown) {
    Object.defineProperty(this, MARK, { value, writable: true, enumerable: true, configurable: true })
  },
})

/** The mark of a copy of something that was handed out. */
export function markOf(session: object): object | undefined {
  const mark: unknown = MARK in session ? session[MARK] : undefined
  return mark instanceof Mark ? mark : undefined
}
