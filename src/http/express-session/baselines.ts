import { Compared } from './compared.js'
import { markOf } from './handed.js'
import type { Baseline } from './image.js'

/** Ids for which this process remembers what it last handed out. */
const HANDED_MAX = 10_000

interface Latest {
  readonly baseline: Baseline
  /** Requests that got it and have not said yet which object they made of it. */
  readonly open: number
}

/**
 * Which object of the application stands for which state of which session. express-session tells: it makes a request's
 * session of what `get` answered by `createSession`. @fastify/session never calls that, but its copy carries a mark. A
 * copy without either is compared with what this process last handed out for the id. Limits of that: of two requests
 * that were handed different states, the one with the older may take back what the other one saw, and beyond
 * HANDED_MAX ids a save counts as one of the whole session.
 */
export class Baselines {
  readonly #started = new WeakMap<object, string>()
  readonly #handed = new Map<string, Latest>()

  /** `data` was answered by `get`. */
  handOut(data: object, baseline: Baseline): void {
    Compared.note(data, baseline)
    const open = (this.#handed.get(baseline.id)?.open ?? 0) + 1
    this.#remember({ baseline, open })
  }

  /** `session` was made of `data`. */
  adopt(session: object, data: object): void {
    const baseline = Compared.baselineOf(data)
    if (baseline !== undefined) this.#adopt(session, baseline)
  }

  #adopt(session: object, baseline: Baseline): void {
    Compared.note(session, baseline)
    const handed = this.#handed.get(baseline.id)
    if (handed === undefined) return
    if (handed.open > 1) this.#handed.set(baseline.id, { ...handed, open: handed.open - 1 })
    else this.#handed.delete(baseline.id)
  }

  /** `session` is a new one: nothing can be stored under its id yet. */
  start(session: object, id: string): void {
    this.#started.set(session, id)
  }

  /** What `session` is compared with; 'new': it was started here and never saved. */
  of(session: object, id: string): Baseline | 'new' | undefined {
    const baseline = Compared.baselineOf(session)
    if (baseline?.id === id) return baseline
    if (this.#started.get(session) === id) return 'new'
    const mark = markOf(session)
    const marked = mark === undefined ? undefined : Compared.baselineOf(mark)
    if (marked?.id === id) {
      this.#adopt(session, marked)
      return marked
    }
    return this.#handed.get(id)?.baseline
  }

  /** `session` was saved; its next save is compared with `baseline`. */
  saved(session: object, baseline: Baseline): void {
    const isKnown = Compared.baselineOf(session)?.id === baseline.id || this.#started.get(session) === baseline.id
    Compared.note(session, baseline)
    if (isKnown) return
    const open = (this.#handed.get(baseline.id)?.open ?? 1) - 1
    // While others are at work on what they were handed, that is what they will be compared with.
    if (open <= 0) this.#remember({ baseline, open: 0 })
    else this.#remember({ baseline: this.#handed.get(baseline.id)?.baseline ?? baseline, open })
  }

  #remember(handed: Latest): void {
    const { id } = handed.baseline
    this.#handed.delete(id)
    this.#handed.set(id, handed)
    if (this.#handed.size <= HANDED_MAX) return
    for (const oldest of this.#handed.keys()) {
      this.#handed.delete(oldest)
      return
    }
  }
}
