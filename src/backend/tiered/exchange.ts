import type { SessionRef } from '../../session/session.js'
import type { SessionBackend, SessionEvent } from '../backend.js'
import { birthText } from '../births.js'
import type { FarQueue } from './far-queue.js'
import type { FarReader } from './far-reader.js'

export interface ExchangeOptions {
  readonly near: SessionBackend
  readonly far: SessionBackend
  readonly queue: FarQueue
  readonly reader: FarReader
  /** Sessions that may wait to be looked at; of more only a comparison of everything can tell. */
  readonly sessionsMax: number
  /** Compares everything. */
  readonly compare: () => void
}

const AT_ONCE = 16

/**
 * For the time of a move, when some nodes know only one of the two backends: what those do to a session comes into the other
 * backend too, also where nobody asks a node with both for the session before that node is gone. Either side tells that a
 * session changed; with the next tick both are looked at, and each gets what it lacks of the other.
 */
export class Exchange {
  readonly #options: ExchangeOptions
  readonly #changed = new Map<string, SessionRef>()
  readonly #unsubscribe: (() => void)[] = []
  #running: Promise<void> | undefined
  #hasMissed = false
  #isClosed = false

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  /** What the near backend tells before it is ready is what it always held. */
  open(): void {
    const { near, far } = this.#options
    this.#listenTo(far)
    near.ready().then(
      () => this.#listenTo(near),
      () => {},
    )
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe()
    await this.flush()
  }

  tick(): void {
    void this.flush()
    if (!this.#hasMissed || this.#options.queue.isDown) return
    this.#hasMissed = false
    this.#options.compare()
  }

  /** Looks at every session that changed until now. */
  async flush(): Promise<void> {
    await this.#running
    this.#running ??= this.#flush().finally(() => {
      this.#running = undefined
    })
    await this.#running
  }

  #listenTo(side: SessionBackend): void {
    if (this.#isClosed) return
    const heard = (event: SessionEvent): void => {
      if (!event.local && !this.#options.reader.isImporting) this.#note(event.ref)
    }
    this.#unsubscribe.push(side.subscribe(heard))
  }

  #note(ref: SessionRef): void {
    const key = birthText(ref)
    if (this.#changed.size < this.#options.sessionsMax || this.#changed.has(key)) this.#changed.set(key, ref)
    else this.#hasMissed = true
  }

  async #flush(): Promise<void> {
    const { queue, reader } = this.#options
    const refs = Array.from(this.#changed.values())
    this.#changed.clear()
    // Its return begins with a comparison of everything.
    if (queue.isDown) return
    let next = 0
    const worker = async (): Promise<void> => {
      for (let ref = refs[next++]; ref !== undefined && !queue.isDown; ref = refs[next++]) await reader.exchange(ref)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  }
}
