import { sameDot, type SessionRecord, type SessionRef } from '../../session/session.js'
import type { Answer, LoadOptions, LoadResult, SeenTokens, SessionBackend } from '../backend.js'
import type { CountedStamps } from '../counted-stamps.js'
import type { Copies } from './copies.js'
import type { FarQueue } from './far-queue.js'

export interface CopyReaderOptions {
  readonly near: SessionBackend
  readonly far: SessionBackend
  readonly queue: FarQueue
  readonly copies: Copies
  /** What browsers have seen of the far backend's sessions; undefined: it does not tell them. */
  readonly stamps: CountedStamps | undefined
}

type Found = Extract<LoadResult, { readonly state: 'found' }>

/** Answers from copies that are current enough for whoever asks; makes them so first where they are not. */
export class CopyReader {
  readonly #options: CopyReaderOptions
  readonly #counts = { hits: 0, misses: 0 }

  constructor(options: CopyReaderOptions) {
    this.#options = options
  }

  load(id: string, seen: SeenTokens | undefined, options: LoadOptions): Answer<LoadResult> {
    const held = this.#options.near.load(id, undefined, options)
    if (!(held instanceof Promise) && held.state === 'found') {
      const commits = this.#options.copies.current(held.ref, this.#seenOf(held.ref, seen))
      if (commits !== undefined) {
        this.#counts.hits++
        return this.#told(held, commits, seen)
      }
    }
    this.#counts.misses++
    return this.#load(id, held, seen, options)
  }

  async read(ref: SessionRef): Promise<SessionRecord | undefined> {
    const { near, far, queue } = this.#options
    const commits = this.#options.copies.current(ref, 0) ?? (await this.#options.copies.refresh(ref, 0))
    const copy = await near.read(ref)
    return copy ?? (commits === undefined || queue.isDown ? undefined : await far.read(ref))
  }

  counters(): Readonly<Record<string, number>> {
    return { session_mesh_near_hits_total: this.#counts.hits, session_mesh_near_misses_total: this.#counts.misses }
  }

  async #load(
    id: string,
    held: Answer<LoadResult>,
    seen: SeenTokens | undefined,
    options: LoadOptions,
  ): Promise<LoadResult> {
    const { far, queue } = this.#options
    const copy = await held
    if (copy.state === 'found') return await this.#refreshed(id, copy, seen, options)
    try {
      const found = await far.load(id, seen, options)
      queue.answered()
      if (found.state !== 'found') return found
      const commits = await this.#options.copies.refresh(found.ref, this.#seenOf(found.ref, seen))
      const here = commits === undefined ? undefined : await this.#options.near.load(id, undefined, options)
      // Without a copy it is served all the same: there may be no room for one.
      const isCopy = here?.state === 'found' && sameDot(here.ref, found.ref)
      return isCopy && commits !== undefined ? this.#told(here, commits, seen) : found
    } catch (error) {
      queue.failed(error)
      const isOver = copy.state === 'none' && copy.why !== 'unknown'
      return isOver ? copy : { state: 'behind', retryAfterMs: 1_000 }
    }
  }

  /** The copy once it is current, or marked where that cannot be. */
  async #refreshed(
    id: string,
    { ref }: Found,
    seen: SeenTokens | undefined,
    options: LoadOptions,
  ): Promise<LoadResult> {
    const commits = await this.#options.copies.refresh(ref, this.#seenOf(ref, seen))
    const here = await this.#options.near.load(id, undefined, options)
    if (here.state !== 'found') return here
    // An id that somebody else made can name another session by now.
    if (!sameDot(here.ref, ref)) return await this.#refreshed(id, here, seen, options)
    return commits === undefined ? { ...untold(here), stale: true } : this.#told(here, commits, seen)
  }

  #seenOf(ref: SessionRef, seen: SeenTokens | undefined): number {
    return this.#options.stamps?.commitsIn(seen, ref) ?? 0
  }

  /** With what the browser has seen by this. More than the far backend has is lost: the browser is told so, once. */
  #told(found: Found, commits: number, seen: SeenTokens | undefined): Found {
    const { stamps } = this.#options
    const isLost = commits < this.#seenOf(found.ref, seen)
    const raised = stamps?.sealed(found.ref, commits, seen, isLost)
    if (raised === undefined) return untold(found)
    return { ...untold(found), seen: raised, ...(isLost ? { stale: true } : {}) }
  }
}

/** What the near backend says of stamps is about its own events, of which only this node knows. */
function untold(found: Found): Found {
  if (found.seen === undefined) return found
  const { state, ref, session } = found
  return { state, ref, session }
}
