import type { SessionRef } from '../../session/session.js'
import type { SessionBackend } from '../backend.js'
import { birthText } from '../births.js'
import { BoundedMap } from '../memory/bounded-map.js'
import type { FarQueue } from './far-queue.js'

export interface SecondHandOptions {
  readonly near: SessionBackend
  readonly far: SessionBackend
  readonly queue: FarQueue
  readonly now: () => number
}

const KEPT_MAX = 100_000
/** By then the node that made a change has written it, as long as it lives and the far backend answers. */
const KEPT_MS = 5_000

interface Change {
  readonly ref: SessionRef
  readonly at: number
}

/**
 * What other nodes changed lately. Each node writes its own changes to the far backend; when one goes away, the others
 * write what it may have left behind.
 */
export class SecondHand {
  readonly #options: SecondHandOptions
  readonly #changes = new BoundedMap<string, Change>(KEPT_MAX)
  #up: ReadonlySet<string> = new Set()

  constructor(options: SecondHandOptions) {
    this.#options = options
  }

  note(ref: SessionRef): void {
    this.#changes.set(birthText(ref), { ref, at: this.#options.now() })
  }

  tick(): void {
    const { near, far, queue, now } = this.#options
    const peers = near.health().peers.filter(({ state }) => state === 'up')
    const up = new Set(peers.map(({ node }) => node))
    const isMissingOne = [...this.#up].some((node) => !up.has(node))
    this.#up = up
    if (isMissingOne) for (const { ref } of this.#changes.values()) queue.note(ref)
    // Without the far backend nobody has written anything: all of it may be needed.
    if (queue.isDown || !far.health().ready) return
    const oldest = now() - KEPT_MS
    this.#changes.forgetWhile(({ at }) => at < oldest)
  }
}
