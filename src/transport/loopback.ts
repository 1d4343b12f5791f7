/**
 * The transport without a network, for tests and simulations: nodes of one process meet in a hub. The
 * handshake, the frames and the rules about who is up are those of the real one; delivery is asynchronous and
 * in order, and the hub can cut, heal and stall.
 */
import type { Log } from '../log.js'
import { Handshake, linkSecrets, type LinkSecret, type Step } from './handshake.js'
import { NONCE_BYTES } from './hello.js'
import { DEFAULT_BOUNDS } from './limits.js'
import { LoopbackLink } from './loopback-link.js'
import { PeerTable } from './peer-table.js'
import { RefusalLog } from './refusal-log.js'
import { Tally } from './tally.js'
import type { HelloInfo, LinkId, Transport, TransportEvents } from './transport.js'

/** Where the nodes of one process meet. */
export class LoopbackHub {
  readonly #nodes = new Map<string, LoopbackTransport>()
  readonly #cuts = new Set<string>()
  readonly #stalled = new Set<string>()
  #lastAddress = 0

  /** An address that nobody has. */
  freeAddress(): string {
    return `127.0.0.1:${++this.#lastAddress}`
  }

  join(node: LoopbackTransport): void {
    this.#nodes.set(node.address, node)
    this.#dialAll()
  }

  leave(node: LoopbackTransport): void {
    if (this.#nodes.get(node.address) === node) this.#nodes.delete(node.address)
  }

  /** Who answers at `address`, as seen from `from`. */
  reach(from: string, address: string): LoopbackTransport | undefined {
    return this.#cuts.has(pairOf(from, address)) ? undefined : this.#nodes.get(address)
  }

  /** The network between two nodes fails: their links go down, and no new one comes up. */
  cut(a: string, b: string): void {
    this.#cuts.add(pairOf(a, b))
    this.#nodes.get(a)?.lose(b)
    this.#nodes.get(b)?.lose(a)
  }

  heal(a: string, b: string): void {
    this.#cuts.delete(pairOf(a, b))
    this.#dialAll()
  }

  /** The node stops reading: what is sent to it stays in the sender's queue. */
  stall(address: string): void {
    this.#stalled.add(address)
  }

  resume(address: string): void {
    this.#stalled.delete(address)
    for (const node of this.#nodes.values()) node.pump()
  }

  isStalled(address: string): boolean {
    return this.#stalled.has(address)
  }

  #dialAll(): void {
    for (const node of this.#nodes.values()) node.dialAll()
  }
}

function pairOf(a: string, b: string): string {
  return [a, b].sort().join(' ')
}

export interface LoopbackOptions {
  readonly hub: LoopbackHub
  readonly hello: HelloInfo
  readonly address: string
  readonly peers: readonly string[]
  readonly secrets?: readonly string[]
  readonly maxSkewMs?: number
  /** Bytes queued to one peer before its link is stale. */
  readonly queuedBytes?: number
  readonly now: () => number
  readonly randomBytes: (bytes: number) => Uint8Array
  readonly log: Log
}

type Up = Extract<Step, { type: 'up' }>

export class LoopbackTransport implements Transport {
  readonly address: string
  readonly #options: LoopbackOptions
  readonly #secrets: readonly LinkSecret[]
  readonly #tally = new Tally()
  readonly #refusals: RefusalLog
  readonly #table: PeerTable<LoopbackLink>
  #events: TransportEvents | undefined
  #closed = false
  #lastLink = 0

  constructor(options: LoopbackOptions) {
    this.address = options.address
    this.#options = options
    this.#secrets = linkSecrets(options.secrets ?? [], options.hello.cluster)
    this.#refusals = new RefusalLog(this.#tally, options.log, options.now)
    this.#table = new PeerTable(options.hello.actor, DEFAULT_BOUNDS)
  }

  open(events: TransportEvents): Promise<void> {
    this.#events = events
    this.#options.hub.join(this)
    return Promise.resolve()
  }

  send(link: LinkId, bytes: Uint8Array): boolean {
    return this.#table.get(link)?.send(bytes) ?? false
  }

  drop(link: LinkId, closeCode: number, reason: string): void {
    this.#table.get(link)?.close(`${reason} (${closeCode})`)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const link of this.#table.all()) {
      link.flush()
      link.close('closed')
    }
    this.#options.hub.leave(this)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }

  counters(): Readonly<Record<string, number>> {
    return this.#tally.read(this.#table.size)
  }

  // ── What the hub asks of a node ──────────────────────────────────────────────────────────────────────────

  /** Dials, a turn later, every peer that is not linked. */
  dialAll(): void {
    for (const peer of new Set(this.#options.peers)) setImmediate(() => this.#dial(peer))
  }

  /** Delivers what waited for a stalled peer. */
  pump(): void {
    for (const link of this.#table.all()) link.pump()
  }

  /** The connection to the node at `address` breaks. */
  lose(address: string): void {
    for (const link of this.#table.all()) if (link.peer.address === address) link.close('connection lost')
  }

  /** One side of the handshake with a node that dials us, or that we dial. */
  handshake(dialled?: string): Handshake {
    const { hello, now: _, randomBytes, secrets = [], maxSkewMs } = this.#options
    return new Handshake({
      role: dialled === undefined ? 'acceptor' : 'dialler',
      hello: { ...hello, address: this.address, nonce: randomBytes(NONCE_BYTES) },
      secrets: this.#secrets,
      sealed: secrets.length > 0,
      maxSkewMs: maxSkewMs ?? DEFAULT_BOUNDS.skewMs,
      ...(dialled === undefined ? {} : { dialled }),
      admit: (peer) => this.#table.admit(peer, dialled !== undefined),
    })
  }

  get now(): () => number {
    return this.#options.now
  }

  /** Notes why a handshake failed. */
  refused(step: Extract<Step, { type: 'refused' }>, dialled: string | undefined): void {
    const { refusal, bytes } = step
    const isOrdinary = refusal.rule === 'self' || refusal.rule === 'duplicate-link'
    if (!isOrdinary) this.#refusals.handshake(refusal, bytes === undefined, dialled ?? 'hub')
    if (dialled !== undefined) this.#events?.unreachable(dialled, refusal.rule, refusal.detail)
  }

  /** Takes its end of a link whose handshake is complete. */
  adopt(step: Up, dialledByUs: boolean): LoopbackLink {
    const { hub, queuedBytes = DEFAULT_BOUNDS.queuedBytes } = this.#options
    const verdict = this.#table.settle(step.peer, dialledByUs)
    if (verdict.type === 'up') for (const old of verdict.replaces) old.close('replaced by a newer link')
    const link = new LoopbackLink({
      id: ++this.#lastLink,
      peer: step.peer,
      dialledByUs,
      sealer: step.sealer,
      opener: step.opener,
      queuedBytes,
      traffic: this.#tally.trafficWith(step.peer.node),
      isStalled: () => hub.isStalled(step.peer.address),
      events: {
        frame: (of, message) => this.#events?.frame(of.id, message),
        stale: (of) => this.#events?.stale(of.id),
        drained: (of) => this.#events?.drained(of.id),
        down: (of, reason) => this.#down(of, reason),
      },
    })
    this.#table.add(link)
    return link
  }

  announce(link: LoopbackLink): void {
    if (this.#table.get(link.id) === link) this.#events?.up(link.id, link.peer)
  }

  #down(link: LoopbackLink, reason: string): void {
    if (!this.#table.delete(link.id)) return
    this.#events?.down(link.id, reason)
    if (!this.#closed) this.dialAll()
  }

  #dial(address: string): void {
    const isLinked = this.#table.all().some(({ peer: { address: known } }) => known === address)
    if (this.#closed || isLinked) return
    const peer = this.#options.hub.reach(this.address, address)
    if (peer === undefined) this.#events?.unreachable(address, 'unreachable', 'nobody answers')
    else meet(this, peer)
  }
}

/** Runs the handshake of two nodes to its end, message by message. */
function meet(dialler: LoopbackTransport, acceptor: LoopbackTransport): void {
  const ours = dialler.handshake(acceptor.address)
  const theirs = acceptor.handshake()
  let bytes: Uint8Array | undefined = ours.start(dialler.now())
  let diallerUp: Up | undefined
  for (let turn = 0; bytes !== undefined; turn++) {
    const atDialler: boolean = turn % 2 === 1
    const step: Step = atDialler ? ours.receive(bytes, dialler.now()) : theirs.receive(bytes, acceptor.now())
    bytes = step.bytes
    if (step.type === 'refused') {
      if (atDialler) dialler.refused(step, acceptor.address)
      else acceptor.refused(step, undefined)
    } else if (step.type === 'up' && atDialler) {
      diallerUp = step
    } else if (step.type === 'up' && diallerUp !== undefined) {
      const links = [dialler.adopt(diallerUp, true), acceptor.adopt(step, false)] as const
      links[0].join(links[1])
      dialler.announce(links[0])
      acceptor.announce(links[1])
    }
  }
}
