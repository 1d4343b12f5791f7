import type { SessionRef } from '../../session/session.js'
import type { SessionBackend } from '../backend.js'
import { birthText } from '../births.js'
import { BoundedMap } from '../memory/bounded-map.js'
import type { EndedRefs } from './ended-refs.js'
import type { FarQueue } from './far-queue.js'

export interface CopiesOptions {
  readonly near: SessionBackend
  readonly far: SessionBackend
  readonly queue: FarQueue
  readonly ended: EndedRefs
  readonly now: () => number
  /** A copy that no event called old is served for so long without asking, milliseconds. */
  readonly staleForMs: number
}

interface Known {
  /** When the far backend was asked. */
  readonly at: number
  /** How many commits the copy includes, at least. */
  readonly commits: number
}

interface Asking {
  /** Commits that the answer includes; undefined: there is none. */
  readonly answer: Promise<number | undefined>
}

/** Copies whose age is known; of others the far backend is asked. */
const COPIES_MAX = 1_000_000

/** How current the copies in the near backend are, and how they become so. */
export class Copies {
  readonly #options: CopiesOptions
  readonly #asking = new Map<string, Asking>()
  #known = new BoundedMap<string, Known>(COPIES_MAX)

  constructor(options: CopiesOptions) {
    this.#options = options
  }

  /** Commits that the copy includes where it answers without asking somebody who has seen `seenCommits`; else undefined. */
  current(ref: SessionRef, seenCommits: number): number | undefined {
    const { now, staleForMs } = this.#options
    const known = this.#known.get(birthText(ref))
    if (known === undefined || known.commits < seenCommits) return undefined
    return Math.abs(now() - known.at) <= staleForMs ? known.commits : undefined
  }

  /** The session changed: neither the copy nor one that was asked for before that answers what is asked from now on. */
  changed(ref: SessionRef): void {
    const key = birthText(ref)
    this.#known.delete(key)
    this.#asking.delete(key)
  }

  /** Events were missed: nothing is known to be current, and what is on its way neither. */
  forget(): void {
    this.#known = new BoundedMap<string, Known>(COPIES_MAX)
    this.#asking.clear()
  }

  /**
   * Makes the copy current; requests that ask for the same one wait together. Answers how many commits it includes by
   * then; undefined: the far backend did not answer.
   */
  async refresh(ref: SessionRef, seenCommits: number): Promise<number | undefined> {
    const key = birthText(ref)
    const running = this.#asking.get(key)
    if (running === undefined) return await this.#start(ref, key).answer
    const commits = await running.answer
    if (commits === undefined || commits >= seenCommits) return commits
    // It was asked for before the commit that this browser has seen; whatever is asked for by now was not.
    return await (this.#asking.get(key) ?? this.#start(ref, key)).answer
  }

  #start(ref: SessionRef, key: string): Asking {
    const asking: Asking = { answer: this.#ask(ref, key, () => this.#asking.get(key) === asking) }
    this.#asking.set(key, asking)
    return asking
  }

  async #ask(ref: SessionRef, key: string, isLatest: () => boolean): Promise<number | undefined> {
    const at = this.#options.now()
    try {
      const commits = await this.#fetch(ref)
      if (commits !== undefined && isLatest()) this.#known.set(key, { at, commits })
      return commits
    } catch (error) {
      this.#options.queue.failed(error)
      return undefined
    } finally {
      // Before anybody goes on who waited for this: they may ask again.
      if (isLatest()) this.#asking.delete(key)
    }
  }

  async #fetch(ref: SessionRef): Promise<number | undefined> {
    const { near, far, queue, ended } = this.#options
    if (queue.isWaiting(ref) && (await queue.push(ref, Infinity)) === 'failed') return undefined
    const session = await far.exportOne(ref)
    queue.answered()
    if (session === undefined) await near.destroy(ref, 'destroyed', {})
    else await near.importOne(session)
    // Its end may have been told while the copy was on its way.
    if (ended.has(ref)) await near.destroy(ref, 'destroyed', {})
    return session?.commits ?? 0
  }
}
