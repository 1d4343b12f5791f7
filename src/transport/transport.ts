import type { NodeId } from '../session/session.js'

/**
 * Moves ordered bytes between this node and its peers, and says which links are up. It never looks into a frame.
 *
 * - Frames of one link arrive once, whole and in order, or the link goes down.
 * - At most one link per peer actor is up. A peer that restarts is a new actor, hence a new link.
 * - A queue to a peer that does not read is bounded: when full, its frames are dropped, `stale` is reported, and
 *   `drained` when it takes frames again; what was dropped is repaired by a sync round.
 * - Everything before `up` happened inside the handshake: no session state is sent or read before it.
 */
export interface Transport {
  /** Starts to listen and to dial. Rejects when it cannot listen (address in use, not allowed). */
  open(events: TransportEvents): Promise<void>
  /** Queues one frame. The transport keeps `bytes`; callers must not change them. False: link stale or gone. */
  send(link: LinkId, bytes: Uint8Array): boolean
  /** Closes one link, with a close code and a reason without content. */
  drop(link: LinkId, closeCode: number, reason: string): void
  /** Sends what is queued (bounded), closes every link and stops listening. Idempotent. */
  close(): Promise<void>
  /** Where peers can reach this node, `host:port`; known after open(). */
  readonly address: string
  /** Counters so far, by metric name. */
  counters(): Readonly<Record<string, number>>
}

/** Names one link for as long as it is up; never reused by this process. */
export type LinkId = number

export interface TransportEvents {
  up(link: LinkId, peer: PeerInfo): void
  down(link: LinkId, reason: string): void
  frame(link: LinkId, bytes: Uint8Array): void
  /** The queue was full: frames since then are lost on this link. */
  stale(link: LinkId): void
  drained(link: LinkId): void
  /** A configured peer was tried and did not become a link. `rule` is a RefusalRule, or 'unreachable'. */
  unreachable(address: string, rule: string, detail: string): void
}

/** What a peer says of itself in the handshake; authenticated by it. */
export interface PeerInfo {
  readonly node: NodeId
  readonly actor: number
  /** Start of its process, milliseconds since 1970 by its own clock. */
  readonly startedAt: number
  /** Where it can be dialled, `host:port`; empty if it cannot. */
  readonly address: string
  /** Its wall clock minus ours, milliseconds, as estimated in the handshake. */
  readonly clockOffsetMs: number
  /** The configured address under which we dialled it; undefined when it dialled us. */
  readonly dialled?: string
}

/** Why a handshake was refused; sent to the refused side and used as a counter's label. */
export type RefusalRule =
  | 'wrong-cluster'
  | 'bad-secret'
  | 'self'
  | 'duplicate-link'
  | 'clock-skew'
  | 'version'
  | 'name-in-use'
  | 'settings'
  | 'malformed'
  | 'timeout'

export interface Refusal {
  readonly rule: RefusalRule
  readonly detail: string
}

/** What this node says of itself. */
export interface HelloInfo {
  readonly cluster: string
  readonly node: NodeId
  readonly actor: number
  readonly startedAt: number
  /** Settings that must agree on all nodes, such as `session.ttl`; a difference is refused by its name. */
  readonly settings: Readonly<Record<string, string>>
}
