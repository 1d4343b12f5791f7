import type { Context } from './context.js'
import type { ContextEntry, LinkId, Member, Message } from './events.js'

/** What a peer says of itself every second. */
export type PeerDigest = Extract<Message, { type: 'digest' }>

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
  digest: PeerDigest | undefined
  /** Its wall clock minus ours at the last digest, milliseconds; undefined while unknown since our clock jumped. */
  clockOffsetMs: number | undefined
  /** What it had when we first met it, until that is covered here. */
  barrier: readonly ContextEntry[] | undefined
}
