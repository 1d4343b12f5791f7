import type { TableEntry } from './peer-table.js'
import type { FrameOpener, FrameSealer } from './seal.js'
import type { Traffic } from './tally.js'
import type { LinkId, PeerInfo } from './transport.js'

export interface LoopbackLinkOptions {
  readonly id: LinkId
  readonly peer: PeerInfo
  readonly dialledByUs: boolean
  readonly sealer: FrameSealer
  readonly opener: FrameOpener
  readonly queuedBytes: number
  readonly traffic: Traffic
  /** Whether the peer does not read. */
  readonly isStalled: () => boolean
  readonly events: {
    frame(link: LoopbackLink, message: Uint8Array): void
    stale(link: LoopbackLink): void
    drained(link: LoopbackLink): void
    down(link: LoopbackLink, reason: string): void
  }
}

/** One end of a link in a hub: a bounded queue of sealed frames that the other end takes, a turn later. */
export class LoopbackLink implements TableEntry {
  readonly id: LinkId
  readonly peer: PeerInfo
  readonly dialledByUs: boolean
  readonly ageMs = Infinity
  readonly #options: LoopbackLinkOptions
  #other: LoopbackLink | undefined
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #isStale = false
  #isUp = true
  #scheduled = false

  constructor(options: LoopbackLinkOptions) {
    this.id = options.id
    this.peer = options.peer
    this.dialledByUs = options.dialledByUs
    this.#options = options
  }

  join(other: LoopbackLink): void {
    this.#other = other
    other.#other = this
  }

  /** A link in a hub is never silent while it is up. */
  heardWithin(): boolean {
    return this.#isUp
  }

  send(message: Uint8Array): boolean {
    const { sealer, queuedBytes, traffic, events } = this.#options
    if (!this.#isUp) return false
    if (this.#isStale || this.#queuedBytes + message.length + sealer.overhead > queuedBytes) {
      traffic.framesDropped += 1
      if (!this.#isStale) queueMicrotask(() => this.#isUp && events.stale(this))
      this.#isStale = true
      return false
    }
    // Copied: no two nodes ever share bytes.
    const frame = Uint8Array.from(sealer.seal(message))
    this.#queue.push(frame)
    this.#queuedBytes += frame.length
    traffic.framesSent += 1
    traffic.bytesSent += frame.length
    this.pump()
    return true
  }

  /** Delivers what is queued, a turn later, unless the peer is stalled. */
  pump(): void {
    if (this.#scheduled || this.#queue.length === 0 || this.#options.isStalled()) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (!this.#options.isStalled()) this.flush()
    })
  }

  /** Delivers what is queued. */
  flush(): void {
    if (!this.#isUp) return
    const frames = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    const other = this.#other
    if (other !== undefined) for (const frame of frames) other.#receive(frame)
    if (!this.#isStale || !this.#isUp) return
    this.#isStale = false
    this.#options.events.drained(this)
  }

  /** Both ends go down, a moment later; nothing is delivered any more. */
  close(reason: string): void {
    if (!this.#isUp) return
    this.#isUp = false
    queueMicrotask(() => this.#options.events.down(this, reason))
    this.#other?.close('closed by the peer')
  }

  #receive(frame: Uint8Array): void {
    if (!this.#isUp) return
    const { opener, traffic, events } = this.#options
    traffic.framesReceived += 1
    traffic.bytesReceived += frame.length
    try {
      events.frame(this, opener.open(frame))
    } catch {
      this.close('internal error')
    }
  }
}
