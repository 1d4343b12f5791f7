import { actorTag, type Dot, type NodeId } from '../session/session.js'
import { Context } from './context.js'
import { elapsedMs } from './elapsed.js'
import type { ContextEntry, LinkId, Member, Message } from './events.js'

type Digest = Extract<Message, { type: 'digest' }>

/** In the order in which one start of a node goes through them. */
const STATES: readonly Member['state'][] = ['joining', 'up', 'left']

/** A process that was heard no longer ago is taken to run, whatever became of the link, milliseconds. */
const HEARD_LATELY_MS = 15_000
/** For how much time lived a tick counts at most, milliseconds: twice what lies between two. */
const LIVED_PER_TICK_MS = 200

/** The other end of one link, and what it is known to have. */
export interface Peer {
  readonly link: LinkId
  readonly member: Member
  /** What it has acknowledged. Kept by link, hence by actor: a restarted peer starts at nothing. */
  readonly row: Context
  /**
   * `catching-up`: what it lacks of our events is not known yet; `live`: it gets every event as it happens;
   * `stale`: its queue was full and frames were lost.
   */
  phase: 'catching-up' | 'live' | 'stale'
  heardAt: number
  digest: Digest | undefined
  /** Its wall clock minus ours at the last digest, milliseconds; undefined while unknown since our clock jumped. */
  clockOffsetMs: number | undefined
  /** What it had when we first met it, until that is covered here. */
  barrier: readonly ContextEntry[] | undefined
}

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
  readonly #silent: Set<string>
  /** Configured peers that may be members, whether or not they have been met. */
  #expected: number
  #startedAt: number
  /**
   * How long this process has run, and as of when, milliseconds: ticks, each of which counts for so much at most. A process
   * without CPU that finds a time limit over has not read what came meanwhile.
   */
  #livedMs = 0
  #livedAt: number
  /** Barriers of peers whose link went down before they were covered, and since when in time lived. */
  #owed: readonly { readonly barrier: readonly ContextEntry[]; readonly since: number }[] = []
  #fenced = false
  #ready = false
  /** Ready while somebody that may be a member had not spoken: what comes from those we meet later comes in pieces. */
  #readyInSilence = false
  /** Whether nothing of what peers had when we first met them is missing. */
  #isCaughtUp = false
  /** The starts of nodes of which all is here that they had when we met them. */
  readonly #met = new Map<NodeId, number>()
  /** Our clock jumped, or most peers contradicted it, and none confirmed it since. */
  #isDoubted = false

  constructor(options: RosterOptions, now: number) {
    this.options = options
    this.#silent = new Set(options.peers)
    this.#expected = options.peers.length
    this.#startedAt = now
    this.#livedAt = now
  }

  get self(): Member {
    return { ...this.options.self, state: this.#ready ? 'up' : 'joining' }
  }

  /** Every session can be served here: all that the peers had when we met them is here. */
  get isReady(): boolean {
    return this.#ready && !this.#fenced
  }

  /**
   * What is held may be served without asking. A node that became ready in silence and then meets a peer gets that peer's
   * own events first, so that a session may be here without what others wrote to it, and no stamp says so: all members,
   * the node's earlier start among them, had that.
   */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp && this.#ready && !this.#fenced
  }

  /** The clock of this node disagrees with most others: it must neither serve nor judge expiry. */
  get isFenced(): boolean {
    return this.#fenced
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
    if (dialled !== undefined) this.#silent.delete(dialled)
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
    if (this.#isOwed(peer)) this.#isCaughtUp = false
    return peer
  }

  /** Whether what the peer has is to be covered before we serve without asking. */
  #isOwed({ member }: Peer): boolean {
    return !this.#ready || (this.#readyInSilence && this.#met.get(member.node) !== member.actor)
  }

  /** A link that goes down takes no barrier with it: another peer may help to cover it. */
  linkDown(link: LinkId): void {
    const barrier = this.peers.get(link)?.barrier
    this.peers.delete(link)
    if (barrier !== undefined) this.#owed = [...this.#owed, { barrier, since: this.#livedMs }]
  }

  /** A configured peer answered with a refusal: it will not keep us waiting. */
  refused(address: string): void {
    if (this.#silent.delete(address)) this.#expected--
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
  digest(peer: Peer, digest: Digest, now: number): void {
    if (peer.barrier === undefined && this.#isOwed(peer)) peer.barrier = digest.context
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
    this.#livedMs += Math.min(Math.max(0, now - this.#livedAt), LIVED_PER_TICK_MS)
    this.#livedAt = now
    for (const { member: { node, actor }, heardAt } of this.#members.values()) {
      if (now - heardAt <= this.options.forgetAfterMs || this.peerOf(actor) !== undefined) continue
      this.#members.delete(node)
      this.#met.delete(node)
      this.#expected--
    }
    if (now - this.#startedAt > this.options.forgetAfterMs) this.#expected = Math.min(this.#expected, this.#members.size)
    const wasDoubted = this.#isDoubted || this.#fenced
    this.#judgeClock()
    return wasDoubted && !this.#isDoubted && !this.#fenced
  }

  /** Our clock jumped, or we slept: until peers confirm the time we judge nothing by it. Without peers we believe it. */
  suspectClock(): void {
    this.#isDoubted = true
    if (this.peers.size === 0) return
    this.#fenced = true
    for (const peer of this.peers.values()) peer.clockOffsetMs = undefined
  }

  /**
   * A clock is wrong when most peers agree that it is; one peer alone proves nothing. Once in doubt it is right when most
   * clocks, this one among them, show its time: peers that contradict one another have not confirmed it.
   */
  #judgeClock(): void {
    if (!this.#isDoubted && !this.#isContradicted) return
    const offsets = [...this.peers.values()]
      .flatMap((peer) => (peer.clockOffsetMs === undefined ? [] : [peer.clockOffsetMs]))
      .sort((a, b) => a - b)
    const { maxSkewMs } = this.options
    if (this.peers.size === 0) {
      this.#fenced = false
    } else if (this.#isDoubted) {
      if (offsets.length === 0) return
      const confirming = offsets.filter((offset) => Math.abs(offset) <= maxSkewMs).length
      this.#fenced = (confirming + 1) * 2 <= offsets.length + 1
      this.#isDoubted = this.#fenced
    } else if (offsets.length >= 2) {
      const median = offsets[offsets.length >> 1] ?? 0
      const agree = offsets.filter((offset) => Math.abs(offset - median) <= maxSkewMs).length
      this.#fenced = agree * 2 > offsets.length && Math.abs(median) > maxSkewMs
      this.#isDoubted = this.#fenced
    }
  }

  get #isContradicted(): boolean {
    for (const { clockOffsetMs } of this.peers.values()) {
      if (clockOffsetMs !== undefined && Math.abs(clockOffsetMs) > this.options.maxSkewMs) return true
    }
    return false
  }

  /** Becomes ready, and caught up, when nothing stands against it. Answers whether it became ready now. */
  judgeReady(context: Context): boolean {
    if (this.#ready && this.#isCaughtUp) return false
    const isOverdue = this.#livedMs >= this.options.bootstrapTimeoutMs
    if (!this.#ready && !isOverdue && this.#silent.size > 0) return false
    this.#owed = this.#owed.filter(({ barrier, since }) => {
      return this.#livedMs - since < this.options.bootstrapTimeoutMs && !context.covers(barrier)
    })
    let isSilent = false
    let isCovered = this.#owed.length === 0
    for (const peer of this.peers.values()) {
      if (!this.#isOwed(peer)) continue
      if (peer.barrier === undefined) isSilent = true
      else if (!context.covers(peer.barrier)) isCovered = false
      else if (this.#ready) this.#cover(peer)
    }
    if (this.#ready) {
      this.#isCaughtUp = isCovered && !isSilent
      return false
    }
    if (!isCovered || (isSilent && !isOverdue)) return false
    this.#ready = true
    this.#readyInSilence = isSilent || this.#silent.size > 0
    this.#isCaughtUp = !isSilent
    for (const peer of this.peers.values()) if (peer.barrier !== undefined) this.#cover(peer)
    return true
  }

  #cover(peer: Peer): void {
    peer.barrier = undefined
    this.#met.set(peer.member.node, peer.member.actor)
  }
}

function isLater(a: Member, b: Member): boolean {
  return a.startedAt > b.startedAt || (a.startedAt === b.startedAt && a.actor > b.actor)
}
