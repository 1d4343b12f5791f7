import type { Baseline } from './image.js'

/** Ids for which this process remembers what it last handed out. */
const HANDED_MAX = 10_000

interface Handed {
  readonly baseline: Baseline
  /** Requests that got it and have not said yet which object they made of it. */
  readonly open: number
}

/**
 * By this a copy of what was handed out is known again. It is inherited, so whoever lists, spreads or prints what was
 * handed out does not see it; `for … in`, by which @fastify/session copies, does. JSON leaves it out: it is a function.
 */
const MARK = 'sessionMeshBaseline'

/**
 * Which object of the application stands for which state of which session. express-session tells: it makes a request's
 * session of what `get` answered by `createSession`. @fastify/session never calls that, but its copy carries a mark. A
 * copy without either is compared with what this process last handed out for the id. Limits of that: of two requests
 * that were handed different states, the one with the older may take back what the other one saw, and beyond
 * HANDED_MAX ids a save counts as one of the whole session.
 */
export class Baselines {
  readonly #byObject = new WeakMap<object, Baseline>()
  readonly #started = new WeakMap<object, string>()
  readonly #handed = new Map<string, Handed>()

  /** `data` was answered by `get`. */
  handOut(data: object, baseline: Baseline): void {
    this.#byObject.set(data, baseline)
    const open = (this.#handed.get(baseline.id)?.open ?? 0) + 1
    this.#remember({ baseline, open })
  }

  /** `data` as `handOut` takes it, with the mark by which an unannounced copy of it is known. */
  marked<T extends object>(data: T, baseline: Baseline): T {
    const mark = (): void => {}
    this.#byObject.set(mark, baseline)
    return Object.assign(Object.create({ [MARK]: mark }) as object, data)
  }

  /** `session` was made of `data`. */
  adopt(session: object, data: object): void {
    const baseline = this.#byObject.get(data)
    if (baseline !== undefined) this.#adopt(session, baseline)
  }

  #adopt(session: object, baseline: Baseline): void {
    this.#byObject.set(session, baseline)
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
    const baseline = this.#byObject.get(session)
    if (baseline?.id === id) return baseline
    if (this.#started.get(session) === id) return 'new'
    const mark: unknown = MARK in session ? session[MARK] : undefined
    const marked = typeof mark === 'function' ? this.#byObject.get(mark) : undefined
    if (marked?.id === id) {
      this.#adopt(session, marked)
      return marked
    }
    return this.#handed.get(id)?.baseline
  }

  /** `session` was saved; its next save is compared with `baseline`. */
  saved(session: object, baseline: Baseline): void {
    const isKnown = this.#byObject.get(session)?.id === baseline.id || this.#started.get(session) === baseline.id
    this.#byObject.set(session, baseline)
    if (isKnown) return
    const open = (this.#handed.get(baseline.id)?.open ?? 1) - 1
    // While others are at work on what they were handed, that is what they will be compared with.
    if (open <= 0) this.#remember({ baseline, open: 0 })
    else this.#remember({ baseline: this.#handed.get(baseline.id)?.baseline ?? baseline, open })
  }

  #remember(handed: Handed): void {
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
