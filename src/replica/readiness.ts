import type { NodeId } from '../session/session.js'
import type { Context } from './context.js'
import type { ContextEntry } from './events.js'
import type { Peer } from './peer.js'

/** For how much time lived a tick counts at most, milliseconds: twice what lies between two. */
const LIVED_PER_TICK_MS = 200

/** Whether all is here that peers had when we met them: a node that serves without that knows less than the cluster. */
export class Readiness {
  readonly #bootstrapTimeoutMs: number
  /** Configured peers that neither answered nor refused. */
  readonly #silent: Set<string>
  /**
   * How long this process has run, and as of when, milliseconds: ticks, each of which counts for so much at most. A process
   * without CPU that finds a time limit over has not read what came meanwhile.
   */
  #livedMs = 0
  #livedAt: number
  /** Barriers of peers whose link went down before they were covered, and since when in time lived. */
  #owed: readonly { readonly barrier: readonly ContextEntry[]; readonly since: number }[] = []
  /** The starts of nodes of which all is here that they had when we met them. */
  readonly #met = new Map<NodeId, number>()
  /** All that the peers had when we met them is here. Fields, since every request looks at them. */
  isReady = false
  /**
   * What is held may be served without asking. A node that became ready in silence and then meets a peer gets that peer's
   * own events first, so that a session may be here without what others wrote to it, and no stamp says so: all members,
   * the node's earlier start among them, had that.
   */
  isCaughtUp = false
  /** Ready while somebody that may be a member had not spoken: what comes from those we meet later comes in pieces. */
  #inSilence = false

  /** `addresses`: of the configured peers. `bootstrapTimeoutMs`: how long one of them may be silent. */
  constructor(addresses: readonly string[], bootstrapTimeoutMs: number, now: number) {
    this.#silent = new Set(addresses)
    this.#bootstrapTimeoutMs = bootstrapTimeoutMs
    this.#livedAt = now
  }

  linkUp(peer: Peer, dialled: string | undefined): void {
    if (dialled !== undefined) this.#silent.delete(dialled)
    if (this.#isOwed(peer)) this.isCaughtUp = false
  }

  /** A link that goes down takes no barrier with it: another peer may help to cover it. */
  linkDown({ barrier }: Peer): void {
    if (barrier !== undefined) this.#owed = [...this.#owed, { barrier, since: this.#livedMs }]
  }

  /** A configured peer will not keep us waiting. Answers whether it did until now. */
  refused(address: string): boolean {
    return this.#silent.delete(address)
  }

  /** A peer told what it has. */
  told(peer: Peer, context: readonly ContextEntry[]): void {
    if (peer.barrier === undefined && this.#isOwed(peer)) peer.barrier = context
  }

  forget(node: NodeId): void {
    this.#met.delete(node)
  }

  tick(now: number): void {
    this.#livedMs += Math.min(Math.max(0, now - this.#livedAt), LIVED_PER_TICK_MS)
    this.#livedAt = now
  }

  /** Becomes ready, and caught up, when nothing stands against it. Answers whether it became ready now. */
  judge(peers: ReadonlyMap<unknown, Peer>, context: Context): boolean {
    if (this.isCaughtUp) return false
    const isOverdue = this.#livedMs >= this.#bootstrapTimeoutMs
    if (!this.isReady && !isOverdue && this.#silent.size > 0) return false
    this.#owed = this.#owed.filter(({ barrier, since }) => {
      return this.#livedMs - since < this.#bootstrapTimeoutMs && !context.covers(barrier)
    })
    let isSilent = false
    let isCovered = this.#owed.length === 0
    for (const peer of peers.values()) {
      if (!this.#isOwed(peer)) continue
      if (peer.barrier === undefined) isSilent = true
      else if (!context.covers(peer.barrier)) isCovered = false
      else if (this.isReady) this.#cover(peer)
    }
    if (this.isReady) {
      this.isCaughtUp = isCovered && !isSilent
      return false
    }
    if (!isCovered || (isSilent && !isOverdue)) return false
    this.isReady = true
    this.#inSilence = isSilent || this.#silent.size > 0
    this.isCaughtUp = !isSilent
    for (const peer of peers.values()) if (peer.barrier !== undefined) this.#cover(peer)
    return true
  }

  /** Whether what the peer has is to be covered before we serve without asking. */
  #isOwed({ member }: Peer): boolean {
    return !this.isReady || (this.#inSilence && this.#met.get(member.node) !== member.actor)
  }

  #cover(peer: Peer): void {
    peer.barrier = undefined
    this.#met.set(peer.member.node, peer.member.actor)
  }
}
