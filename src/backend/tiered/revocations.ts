import type { SessionRef } from '../../session/session.js'
import { BoundedMap } from '../memory/bounded-map.js'
import type { SessionBackend } from '../backend.js'
import type { EndedRefs } from './ended-refs.js'
import type { FarQueue } from './far-queue.js'
import type { FarReader } from './far-reader.js'

export interface RevocationsOptions {
  readonly near: SessionBackend
  readonly far: SessionBackend
  readonly queue: FarQueue
  readonly reader: FarReader
  readonly ended: EndedRefs
}

const OPEN_MAX = 10_000

/**
 * "Log out everywhere" for sessions that only the far backend holds. The near backend is the judge, because it made the
 * times by which a login lies before or after the revocation: each such session is brought over, and what it refuses ends
 * there too. So a revocation that waited for the far backend ends nobody who logged in meanwhile.
 */
export class Revocations {
  readonly #options: RevocationsOptions
  readonly #open = new BoundedMap<string, true>(OPEN_MAX)

  constructor(options: RevocationsOptions) {
    this.#options = options
  }

  /** Live sessions of a principal that only the far backend holds; undefined where it does not answer. */
  async onlyFar(principal: string): Promise<readonly SessionRef[] | undefined> {
    const { near, far, queue, ended } = this.#options
    let refs: readonly SessionRef[]
    try {
      refs = await far.find(principal)
      queue.answered()
    } catch (error) {
      queue.failed(error)
      return undefined
    }
    const here = await Promise.all(refs.map(async (ref) => await near.read(ref)))
    return refs.filter((ref, i) => here[i] === undefined && !ended.has(ref))
  }

  /** Ends those that the near backend's revocation covers; how many. Undefined: not now, but as soon as that is possible. */
  async apply(principal: string): Promise<number | undefined> {
    const refs = await this.onlyFar(principal)
    if (refs === undefined) {
      this.#open.set(principal, true)
      return undefined
    }
    const ends = await Promise.all(refs.map((ref) => this.#judge(ref)))
    return ends.filter(Boolean).length
  }

  /** Does what could not be done before. */
  async again(): Promise<void> {
    for (const principal of Array.from(this.#open.keys())) {
      this.#open.delete(principal)
      await this.apply(principal)
    }
  }

  async #judge(ref: SessionRef): Promise<boolean> {
    const { near, queue, reader } = this.#options
    const brought = await reader.byRef(ref)
    if (brought === 'none' || brought === 'unreachable' || (await near.read(ref)) !== undefined) return false
    queue.kill(ref, 'logged-out')
    await queue.push(ref, Infinity)
    return true
  }
}
