import { actorTag, type Dot, type NodeId } from '../session/session.js'
import { Context } from './context.js'
import { elapsedMs } from './elapsed.js'
import type { LinkId, Member } from './events.js'
import { OwnClock } from './own-clock.js'
import type { Peer, PeerDigest } from './peer.js'
import { Readiness } from './readiness.js'

/** In the order in which one start of a node goes through them. */
const STATES: readonly Member['state'][] = ['joining', 'up', 'left']

/** A process that was heard no longer ago is taken to run, whatever became of the link, milliseconds. */
const HEARD_LATELY_MS = 15_000

export interface RosterOptions {
  readonly self: Member
  /** Addresses of the configured peers, without our own. */
  readonly peers: readonly string[]
  /** How long a configured peer may be silent before we are ready without it, milliseconds. */
  readonly bootstrapTimeoutMs: number
  /** A peer unheard for longer is not waited for, milliseconds. */
  readonly suspectAfterMs: number
  /** A member unheard for longer no longer counts, milliseconds. */
  readonly forgetAfterMs: number
  /** Clock difference to most peers beyond which a node stops serving, milliseconds. */
  readonly maxSkewMs: number
}

/** Who is in the cluster, whom we reach, what they have, and whether this node may serve. */
export class Roster {
  readonly options: RosterOptions
  readonly peers = new Map<LinkId, Peer>()
  readonly #members = new Map<NodeId, { member: Member; heardAt: number }>()
  /** Configured peers that may be members, whether or not they have been met. */
  #expected: number
  #startedAt: number
  readonly #clock: OwnClock
  readonly #readiness: Readiness

  constructor(options: RosterOptions, now: number) {
    this.options = options
    this.#expected = options.peers.length
    this.#startedAt = now
    this.#clock = new OwnClock(options.maxSkewMs)
    this.#readiness = new Readiness(options.peers, options.bootstrapTimeoutMs, now)
  }

  get self(): Member {
    return { ...this.options.self, state: this.#readiness.isReady ? 'up' : 'joining' }
  }

  /** Every session can be served here: all that the peers had when we met them is here. */
  get isReady(): boolean {
    return this.#readiness.isReady && !this.#clock.isFenced
  }

  /** What is held may be served without asking. */
  get isCaughtUp(): boolean {
    return this.#readiness.isCaughtUp && !this.#clock.isFenced
  }

  /** The clock of this node disagrees with most others: it must neither serve nor judge expiry. */
  get isFenced(): boolean {
    return this.#clock.isFenced
  }

  /** Members that count, this node not included: not left, not forgotten. */
  others(): readonly Member[] {
    const members: Member[] = []
    for (const { member } of this.#members.values()) if (member.state !== 'left') members.push(member)
    return members
  }

  members(): readonly Member[] {
    return [this.self, ...[...this.#members.values()].map(({ member }) => member)]
  }

  /** Nodes that count, this one included, and those that are configured and have not been met in this start. */
  get size(): number {
    return this.others().length + 1 + Math.max(0, this.#expected - this.#members.size)
  }

  /** Whether there is no configured peer of which nothing is known: a node that starts alone speaks for nobody else. */
  get knowsAll(): boolean {
    return this.#members.size >= this.#expected
  }

  /** Whether the actor is, for all we know, a process that still runs. */
  isRunning(actor: number): boolean {
    return actor === this.options.self.actor || this.others().some((member) => member.actor === actor)
  }

  /** Whether a process of this tag that has not left was heard within the last seconds, by this node itself. */
  wasHeardLately(tag: number, now: number): boolean {
    for (const { member, heardAt } of this.#members.values()) {
      if (member.state === 'left' || actorTag(member.actor) !== tag) continue
      if (elapsedMs(heardAt, now) < HEARD_LATELY_MS) return true
    }
    return false
  }

  /** Peers with a link that was heard lately: those that an acknowledgement can be expected from. */
  reachable(now: number): readonly Peer[] {
    return [...this.peers.values()].filter((peer) => now - peer.heardAt < this.options.suspectAfterMs)
  }

  /** Whether every other member that counts is known to have the event: who has it too need not have it remembered. */
  haveAll(dot: Dot): boolean {
    if (!this.knowsAll) return false
    for (const { member } of this.#members.values()) {
      if (member.state !== 'left' && this.peerOf(member.actor)?.row.has(dot) !== true) return false
    }
    return true
  }

  peerOf(actor: number): Peer | undefined {
    for (const peer of this.peers.values()) if (peer.member.actor === actor) return peer
    return undefined
  }

  /** Whether every member that counts is reached directly. */
  reachesAll(now: number): boolean {
    if (!this.knowsAll) return false
    const heard = this.reachable(now).map((peer) => peer.member.actor)
    return this.others().every((member) => heard.includes(member.actor))
  }

  linkUp(link: LinkId, member: Member, dialled: string | undefined, now: number): Peer {
    // Whoever answers is the present start of its node, also if its clock says that it is an earlier one.
    if (this.#members.get(member.node)?.member.actor !== member.actor) this.#members.delete(member.node)
    this.meet(member, now)
    const peer: Peer = {
      link,
      member,
      row: new Context(),
      phase: 'catching-up',
      heardAt: now,
      digest: undefined,
      clockOffsetMs: undefined,
      barrier: undefined,
    }
    this.peers.set(link, peer)
    this.#readiness.linkUp(peer, dialled)
    return peer
  }

  linkDown(link: LinkId): void {
    const peer = this.peers.get(link)
    this.peers.delete(link)
    if (peer !== undefined) this.#readiness.linkDown(peer)
  }

  /** A configured peer answered with a refusal: it will not keep us waiting. */
  refused(address: string): void {
    if (this.#readiness.refused(address)) this.#expected--
  }

  /**
   * Learns of a member; of two starts of one node the one with a link counts, else the later one by its own clock, and
   * within one start states only advance.
   */
  meet(member: Member, now: number): boolean {
    if (member.node === this.options.self.node) return false
    const known = this.#members.get(member.node)
    const isLinked = known !== undefined && this.peerOf(known.member.actor) !== undefined
    if (known === undefined || (!isLinked && isLater(member, known.member))) {
      this.#members.set(member.node, { member, heardAt: now })
      return true
    }
    if (known.member.actor !== member.actor) return false
    const changed = STATES.indexOf(member.state) > STATES.indexOf(known.member.state)
    if (changed) this.#members.set(member.node, { member, heardAt: Math.max(known.heardAt, now) })
    return changed
  }

  heard(peer: Peer, now: number): void {
    peer.heardAt = now
    const known = this.#members.get(peer.member.node)
    if (known !== undefined && known.member.actor === peer.member.actor) known.heardAt = now
  }

  /** A peer told what it has, whom it hears, and its time. */
  digest(peer: Peer, digest: PeerDigest, now: number): void {
    this.#readiness.told(peer, digest.context)
    peer.digest = digest
    peer.clockOffsetMs = digest.wallMs - now
    peer.row.join(digest.context)
    this.meet({ ...peer.member, state: digest.ready ? 'up' : 'joining' }, now)
  }

  /** Our own event loop was late, or our clock jumped, by this much: silence of others in that time proves nothing. */
  forgive(lagMs: number): void {
    this.#startedAt += lagMs
    for (const peer of this.peers.values()) peer.heardAt += lagMs
    for (const known of this.#members.values()) known.heardAt += lagMs
  }

  /** Forgets who was away too long, and judges our own clock by the peers'. Answers whether they confirmed it just now. */
  tick(now: number): boolean {
    this.#readiness.tick(now)
    for (const { member: { node, actor }, heardAt } of this.#members.values()) {
      if (now - heardAt <= this.options.forgetAfterMs || this.peerOf(actor) !== undefined) continue
      this.#members.delete(node)
      this.#readiness.forget(node)
      this.#expected--
    }
    if (now - this.#startedAt > this.options.forgetAfterMs) this.#expected = Math.min(this.#expected, this.#members.size)
    return this.#clock.judge(this.peers)
  }

  /** Our clock jumped, or we slept: until peers confirm the time we judge nothing by it. Without peers we believe it. */
  suspectClock(): void {
    this.#clock.suspect(this.peers)
  }

  /** Becomes ready when nothing stands against it. Answers whether it became ready now. */
  judgeReady(context: Context): boolean {
    return this.#readiness.judge(this.peers, context)
  }
}

function isLater(a: Member, b: Member): boolean {
  return a.startedAt > b.startedAt || (a.startedAt === b.startedAt && a.actor > b.actor)
}
