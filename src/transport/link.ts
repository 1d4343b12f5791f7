import { ProtocolError } from '../errors.js'
import type { Bounds } from './limits.js'
import type { TableEntry } from './peer-table.js'
import type { FrameOpener, FrameSealer } from './seal.js'
import type { Tally, Traffic } from './tally.js'
import type { LinkId, PeerInfo } from './transport.js'
import { brokenRule, closeWire, type Wire } from './wire.js'

export interface LinkEvents {
  frame(link: Link, message: Uint8Array): void
  stale(link: Link): void
  drained(link: Link): void
  /** No more frames in either direction. Called once, never from inside a method of this link. */
  down(link: Link, reason: string): void
}

export interface LinkOptions {
  readonly id: LinkId
  readonly peer: PeerInfo
  readonly dialledByUs: boolean
  readonly wire: Wire
  readonly sealer: FrameSealer
  readonly opener: FrameOpener
  readonly bounds: Bounds
  readonly tally: Tally
  readonly events: LinkEvents
}

/** One authenticated connection to a peer: sealed frames, a bounded queue, and a pulse. */
export class Link implements TableEntry {
  readonly id: LinkId
  readonly peer: PeerInfo
  readonly dialledByUs: boolean
  readonly #options: LinkOptions
  readonly #traffic: Traffic
  readonly #wire: Wire
  #state: 'up' | 'closing' | 'closed' = 'up'
  #stale = false
  #corked = false
  #closed: (() => void)[] = []

  // Counted in ticks.
  #age = 0
  #silence = 0
  #idle = 0
  #staleFor = 0
  #pings = 0
  #bytesRead: number
  #bytesWritten = 0

  constructor(options: LinkOptions) {
    this.id = options.id
    this.peer = options.peer
    this.dialledByUs = options.dialledByUs
    this.#options = options
    this.#wire = options.wire
    this.#traffic = options.tally.trafficWith(options.peer.node)
    this.#bytesRead = options.wire.socket.bytesRead
    const { ws, socket } = options.wire
    ws.on('message', (data: unknown, isBinary: boolean) => this.#onMessage(data, isBinary))
    ws.on('ping', (data) => this.#onPing(data))
    ws.on('error', (error) => this.#onError(error))
    ws.on('close', (code) => this.#onClose(code))
    socket.on('drain', () => this.#checkDrained())
  }

  get ageMs(): number {
    return this.#age * this.#options.bounds.tickMs
  }

  heardWithin(ms: number): boolean {
    const silentMs = this.#silence * this.#options.bounds.tickMs
    return silentMs <= ms || this.#wire.socket.bytesRead !== this.#bytesRead
  }

  /** Queues one frame; all frames of one turn leave in one system call. False: dropped. */
  send(message: Uint8Array): boolean {
    const { bounds, sealer } = this.#options
    if (this.#state !== 'up') return false
    const bytes = message.length + sealer.overhead
    if (this.#stale || this.#wire.ws.bufferedAmount + bytes > bounds.queuedBytes) {
      this.#drop()
      return false
    }
    this.#cork()
    this.#traffic.framesSent += 1
    this.#traffic.bytesSent += bytes
    this.#wire.ws.send(sealer.seal(message))
    return true
  }

  /**
   * Sends what is queued, then the close code. Resolves when the connection is gone, at the latest after
   * closeMs.
   */
  async close(code: number, reason: string): Promise<void> {
    if (this.#state === 'closed') return
    const gone = new Promise<void>((resolve) => this.#closed.push(resolve))
    const cut = setTimeout(() => this.#wire.ws.terminate(), this.#options.bounds.closeMs)
    this.#state = 'closing'
    closeWire(this.#wire, code, reason)
    await gone
    clearTimeout(cut)
  }

  /** Closes at once and says why. */
  fail(code: number, reason: string): void {
    if (this.#state !== 'up') return
    void this.close(code, reason)
    this.#tellDown(reason)
  }

  /**
   * One tick. `patience`: by how much this node distrusts itself. `overslept`: silence until now proves
   * nothing.
   */
  tick(patience: number, overslept: boolean): void {
    if (this.#state !== 'up') return
    const { bounds } = this.#options
    this.#age += 1
    if (this.#age % Math.ceil(1000 / bounds.tickMs) === 0) this.#pings = 0
    this.#checkDrained()
    if (this.#stale && ++this.#staleFor * bounds.tickMs > bounds.slowPeerMs) {
      this.fail(1008, 'slow: does not read')
      return
    }
    this.#pulse(patience, overslept)
  }

  #pulse(patience: number, overslept: boolean): void {
    const { bounds } = this.#options
    const { ws, socket } = this.#wire
    const heard = socket.bytesRead !== this.#bytesRead || overslept
    this.#silence = heard ? 0 : this.#silence + 1
    this.#bytesRead = socket.bytesRead
    if (this.#silence * bounds.tickMs >= bounds.silentAfterMs * patience) {
      this.#state = 'closing'
      ws.terminate()
      this.#tellDown('silent')
      return
    }
    this.#idle = socket.bytesWritten === this.#bytesWritten ? this.#idle + 1 : 0
    if (this.#idle * bounds.tickMs >= bounds.pingAfterMs) {
      this.#idle = 0
      ws.ping()
    }
    this.#bytesWritten = socket.bytesWritten
  }

  // ── What comes in ────────────────────────────────────────────────────────────────────────────────────────

  #onMessage(data: unknown, isBinary: boolean): void {
    if (this.#state !== 'up') return
    const { events, opener } = this.#options
    try {
      if (!isBinary || !(data instanceof Uint8Array)) throw new ProtocolError('text-frame', 'text frame')
      if (data.length === 0) throw new ProtocolError('empty-frame', 'the frame is empty')
      this.#traffic.framesReceived += 1
      this.#traffic.bytesReceived += data.length
      events.frame(this, opener.open(data))
    } catch (error) {
      this.#onBadFrame(error)
    }
  }

  /** A frame of the peer breaks a rule, or its handler throws: this link ends, the process does not. */
  #onBadFrame(error: unknown): void {
    if (!(error instanceof ProtocolError)) {
      this.#options.tally.count('session_mesh_frame_handler_errors_total')
      this.fail(1011, 'internal error')
      return
    }
    this.#options.tally.protocolError(error.rule)
    this.fail(error.closeCode, error.rule)
  }

  #onPing(data: Uint8Array): void {
    if (this.#state !== 'up') return
    const { bounds, tally } = this.#options
    if (++this.#pings > bounds.pingsPerSecond) {
      tally.protocolError('ping-flood')
      this.fail(1008, 'ping-flood')
    } else if (this.#wire.ws.bufferedAmount <= bounds.queuedBytes) {
      this.#wire.ws.pong(data)
    }
  }

  /** ws is closing the connection with the code that fits. */
  #onError(error: Error): void {
    const rule = brokenRule(error)
    if (rule !== undefined) this.#options.tally.protocolError(rule)
    if (this.#state !== 'up') return
    this.#state = 'closing'
    this.#tellDown(rule ?? error.message)
  }

  #onClose(code: number): void {
    const wasUp = this.#state === 'up'
    this.#state = 'closed'
    for (const resolve of this.#closed) resolve()
    if (wasUp) this.#tellDown(`closed by the peer (${code})`)
  }

  // ── What goes out ────────────────────────────────────────────────────────────────────────────────────────

  #cork(): void {
    if (this.#corked) return
    const { socket } = this.#wire
    this.#corked = true
    socket.cork()
    queueMicrotask(() => {
      this.#corked = false
      socket.uncork()
    })
  }

  #drop(): void {
    this.#traffic.framesDropped += 1
    if (this.#stale) return
    this.#stale = true
    this.#staleFor = 0
    queueMicrotask(() => {
      if (this.#state === 'up') this.#options.events.stale(this)
    })
  }

  #checkDrained(): void {
    if (!this.#stale || this.#state !== 'up') return
    if (this.#wire.ws.bufferedAmount >= this.#options.bounds.drainedBytes) return
    this.#stale = false
    this.#options.events.drained(this)
  }

  #tellDown(reason: string): void {
    queueMicrotask(() => this.#options.events.down(this, reason))
  }
}
