import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { formatAddress, parseAddress } from '../address.js'
import { ConfigError } from '../errors.js'
import type { Log } from '../log.js'
import { Dialer } from './dialer.js'
import { GossipServer, type Pending, type TlsFiles } from './gossip-server.js'
import { Greeting, type GreetingEvents } from './greeting.js'
import { Handshake, linkSecrets, type LinkSecret, type Step } from './handshake.js'
import { NONCE_BYTES } from './hello.js'
import { type Bounds, DEFAULT_BOUNDS } from './limits.js'
import { Link, type LinkEvents } from './link.js'
import { networkProblems } from './network-policy.js'
import { PeerTable } from './peer-table.js'
import { RefusalLog } from './refusal-log.js'
import { SelfTrust } from './self-trust.js'
import { Tally } from './tally.js'
import type { HelloInfo, LinkId, PeerInfo, Refusal, Transport, TransportEvents } from './transport.js'
import { closeWire, dialErrorText, type Wire, WireMaker } from './wire.js'

export interface WebSocketTransportOptions {
  readonly hello: HelloInfo
  /**
   * The first signs, all are accepted. Empty: allowed on loopback, where nothing is protected, and with
   * `tls`.
   */
  readonly secrets: readonly string[]
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string
  /** Where peers reach this node, when that differs from `listen`. */
  readonly advertise?: string
  /** Addresses to keep connected; the own one among them is fine. */
  readonly peers: readonly string[]
  /** Mutual TLS: both ends show a certificate of `ca`. */
  readonly tls?: TlsFiles
  readonly maxSkewMs?: number
  readonly bounds?: Partial<Bounds>
  readonly now: () => number
  readonly random: () => number
  readonly randomBytes: (bytes: number) => Uint8Array
  readonly log: Log
}

type Up = Extract<Step, { type: 'up' }>

/** Links over WebSockets: listens, dials every peer for ever, and lets up only what passed the handshake. */
export class WebSocketTransport implements Transport {
  readonly #options: WebSocketTransportOptions
  readonly #bounds: Bounds
  readonly #tally = new Tally()
  readonly #refusals: RefusalLog
  readonly #secrets: readonly LinkSecret[]
  readonly #table: PeerTable<Link>
  readonly #server: GossipServer
  readonly #wires: WireMaker
  readonly #dialers: readonly Dialer[]
  readonly #greetings = new Set<Wire>()
  readonly #linkEvents: LinkEvents = {
    frame: (link, message) => this.#events?.frame(link.id, message),
    stale: (link) => this.#events?.stale(link.id),
    drained: (link) => this.#events?.drained(link.id),
    down: (link, reason) => this.#down(link, reason),
  }
  #events: TransportEvents | undefined
  #address: string
  #lastLink = 0
  #ticker: NodeJS.Timeout | undefined
  #isClosing = false
  #closed: Promise<void> | undefined

  constructor(options: WebSocketTransportOptions) {
    const { hello, secrets, tls, maxSkewMs = DEFAULT_BOUNDS.skewMs } = options
    this.#options = options
    this.#bounds = { ...DEFAULT_BOUNDS, skewMs: maxSkewMs, ...options.bounds }
    this.#address = options.advertise ?? options.listen
    this.#secrets = linkSecrets(secrets, hello.cluster)
    this.#refusals = new RefusalLog(this.#tally, options.log, options.now)
    this.#table = new PeerTable(hello.actor, this.#bounds)
    this.#server = new GossipServer(tls, this.#bounds, {
      upgrade: (request, socket, head, pending) => this.#accept(request, socket, head, pending),
      refused: (rule, remote) => this.#refusals.stranger(rule, remote),
    })
    this.#wires = new WireMaker(tls, this.#bounds)
    this.#dialers = [...new Set(options.peers)].map(
      (address) => new Dialer(address, (dialer) => this.#dial(dialer), options.random, this.#bounds),
    )
  }

  get address(): string {
    return this.#address
  }

  counters(): Readonly<Record<string, number>> {
    return this.#tally.read(this.#table.size)
  }

  async open(events: TransportEvents): Promise<void> {
    const { listen, advertise, now } = this.#options
    const problems = networkProblems(this.#options)
    if (problems.length > 0) throw new ConfigError(problems)
    const wanted = parseAddress(listen)!
    try {
      const port = await this.#server.listen(wanted)
      this.#address = advertise ?? formatAddress({ host: wanted.host, port })
    } catch (error) {
      throw new ConfigError([`node.listen: cannot listen on ${listen} (${reasonOf(error)})`])
    }
    this.#events = events
    const trust = new SelfTrust(this.#bounds.tickMs, now())
    this.#ticker = setInterval(() => this.#tick(trust), this.#bounds.tickMs)
    for (const dialer of this.#dialers) dialer.dialNow()
  }

  send(link: LinkId, bytes: Uint8Array): boolean {
    return this.#table.get(link)?.send(bytes) ?? false
  }

  drop(link: LinkId, closeCode: number, reason: string): void {
    this.#table.get(link)?.fail(closeCode, reason)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#isClosing = true
    clearInterval(this.#ticker)
    for (const dialer of this.#dialers) dialer.stop()
    this.#server.close()
    this.#wires.abort()
    for (const wire of this.#greetings) wire.ws.terminate()
    const links = this.#table.all()
    const closed = links.map((link) => link.close(1001, 'going away'))
    for (const link of links) this.#down(link, 'closed')
    await Promise.all(closed)
    this.#server.destroy()
  }

  #tick(trust: SelfTrust): void {
    const overslept = trust.tick(this.#options.now())
    for (const link of this.#table.all()) link.tick(trust.factor, overslept)
  }

  // ── Becoming a link ──────────────────────────────────────────────────────────────────────────────────────

  #accept(request: IncomingMessage, socket: Socket, head: Buffer, pending: Pending): void {
    const remote = socket.remoteAddress ?? 'unknown'
    this.#wires.accept(request, socket, head, (wire) => {
      const over = (): void => {
        pending.release()
        this.#greetings.delete(wire)
      }
      const greeting = this.#greet(wire, this.#handshake(undefined), {
        up: (step) => {
          over()
          this.#settle(wire, step, undefined)
        },
        refused: (refusal, byPeer) => {
          over()
          if (!isOrdinary(refusal)) this.#refusals.handshake(refusal, byPeer, remote)
        },
        lost: over,
      })
      pending.expire = () => greeting.expire()
    })
  }

  #dial(dialer: Dialer): void {
    this.#wires.dial(dialer.address, {
      failed: (error) => this.#unreachable(dialer, 'unreachable', dialErrorText(error)),
      opened: (wire) => {
        const handshake = this.#handshake(dialer.address)
        const deadline = setTimeout(() => greeting.expire(), this.#bounds.handshakeMs)
        const over = (): void => {
          clearTimeout(deadline)
          this.#greetings.delete(wire)
        }
        const greeting = this.#greet(wire, handshake, {
          up: (step) => {
            over()
            this.#settle(wire, step, dialer)
          },
          refused: (refusal, byPeer) => {
            over()
            this.#refusedDial(dialer, handshake, refusal, byPeer)
          },
          lost: (detail) => {
            over()
            this.#unreachable(dialer, 'unreachable', detail)
          },
        })
        greeting.begin()
      },
    })
  }

  #greet(wire: Wire, handshake: Handshake, events: GreetingEvents): Greeting {
    this.#greetings.add(wire)
    return new Greeting(wire, handshake, this.#options.now, events)
  }

  #handshake(dialled: string | undefined): Handshake {
    const { hello, secrets, tls, randomBytes } = this.#options
    return new Handshake({
      role: dialled === undefined ? 'acceptor' : 'dialler',
      hello: { ...hello, address: this.#address, nonce: randomBytes(NONCE_BYTES) },
      secrets: this.#secrets,
      sealed: secrets.length > 0 && tls === undefined,
      maxSkewMs: this.#bounds.skewMs,
      ...(dialled === undefined ? {} : { dialled }),
      admit: (peer) => this.#table.admit(peer, dialled !== undefined),
    })
  }

  /** The handshake is complete on our side. */
  #settle(wire: Wire, step: Up, dialer: Dialer | undefined): void {
    if (this.#isClosing) return wire.ws.terminate()
    const verdict = this.#table.settle(step.peer, dialer !== undefined)
    switch (verdict.type) {
      case 'up':
        if (step.bytes !== undefined) wire.ws.send(step.bytes)
        for (const old of verdict.replaces) this.#replace(old)
        this.#up(wire, step, dialer)
        return
      case 'yield':
        // The peer closes it as soon as it learns of the other link; should it never, we do.
        setTimeout(() => closeWire(wire, 1008, 'duplicate-link'), this.#bounds.simultaneousMs).unref()
        return
      case 'refuse':
        closeWire(wire, 1008, `${verdict.refusal.rule}: ${verdict.refusal.detail}`)
        this.#refusals.handshake(verdict.refusal, false, step.peer.address)
        if (dialer !== undefined) this.#unreachable(dialer, verdict.refusal.rule, verdict.refusal.detail)
    }
  }

  #up(wire: Wire, { peer, sealer, opener }: Up, dialer: Dialer | undefined): void {
    const own = { id: ++this.#lastLink, peer, dialledByUs: dialer !== undefined, wire, sealer, opener }
    const shared = { bounds: this.#bounds, tally: this.#tally, events: this.#linkEvents }
    const link = new Link({ ...own, ...shared })
    this.#table.add(link)
    if (dialer !== undefined) dialer.actor = peer.actor
    for (const known of this.#dialersOf(peer)) known.covered()
    this.#events?.up(link.id, peer)
  }

  #replace(old: Link): void {
    this.#down(old, 'replaced by a newer link')
    void old.close(1000, 'duplicate-link')
  }

  // ── Not becoming or no longer being one ──────────────────────────────────────────────────────────────────

  #down(link: Link, reason: string): void {
    if (!this.#table.delete(link.id)) return
    this.#events?.down(link.id, reason)
    if (this.#isClosing || this.#table.byActor(link.peer.actor) !== undefined) return
    const hadLasted = link.ageMs >= this.#bounds.redialMaxMs
    for (const dialer of this.#dialersOf(link.peer)) dialer.lost(hadLasted)
  }

  #refusedDial(dialer: Dialer, handshake: Handshake, refusal: Refusal, byPeer: boolean): void {
    const { rule, detail } = refusal
    if (rule === 'duplicate-link') {
      dialer.actor = handshake.claimed?.actor
      this.#unreachable(dialer, rule, detail)
      if (dialer.actor !== undefined && this.#table.byActor(dialer.actor) !== undefined) dialer.covered()
      return
    }
    if (!isOrdinary(refusal)) this.#refusals.handshake(refusal, byPeer, dialer.address)
    this.#unreachable(dialer, rule, detail)
  }

  #unreachable(dialer: Dialer, rule: string, detail: string): void {
    if (this.#isClosing) return
    const isNews = dialer.lastRule !== rule
    dialer.failed(rule)
    if (isNews && rule === 'unreachable') {
      this.#options.log('info', 'peer-unreachable', { address: dialer.address, detail })
    }
    this.#events?.unreachable(dialer.address, rule, detail)
  }

  /** Who dials this peer: the configured address it advertises, and the one where it answered. */
  #dialersOf({ actor, address }: PeerInfo): readonly Dialer[] {
    return this.#dialers.filter((dialer) => dialer.actor === actor || dialer.address === address)
  }
}

/** Happens in every cluster whose nodes share one list of peers: not worth a line or a count. */
function isOrdinary({ rule }: Refusal): boolean {
  return rule === 'self' || rule === 'duplicate-link'
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code === 'EADDRINUSE' ? 'the port is in use' : code || String(error)
}
