/**
 * The whole vocabulary of a replica on one page: what goes in (Input), what comes out (Output), and what replicas
 * say to each other (Message). A trace is an array of these. Everything is plain data.
 */
import type { Change, Intent, Merged } from '../session/merged.js'
import type { Dot, EndReason, IdHash, IdOrigin, NodeId } from '../session/session.js'

// ── What a session is made of ─────────────────────────────────────────────────────────────────────────────────────

/** Attributes hold encoded bytes, reserved registers a string or a number; `null` = removed. */
export type RegisterValue = Uint8Array | string | number | null

/**
 * One attribute as an event writes it. `kind` says how it merges (RegisterKind): `lww` and kinds this version does not
 * know replace, the others change what is there; null removes under every kind.
 */
export interface RegisterWrite {
  readonly name: string
  readonly kind: number
  readonly value: RegisterValue | Change
}

/** One attribute as a commit asks for it. */
export interface RegisterIntent {
  readonly name: string
  readonly kind: number
  readonly value: RegisterValue | Intent
}

/** One attribute as a session holds it, and its latest write by (hlc, actor of the dot). */
export interface Register {
  readonly name: string
  readonly kind: number
  readonly value: RegisterValue | Merged
  readonly hlc: number
  readonly dot: Dot
}

/** Names that no application can use, because attribute names hold no control characters. */
export const Reserved = { principal: '\u0000principal', maxIdleMs: '\u0000maxIdleMs' } as const

/** What only the creating event says. Times in milliseconds since 1970, lifetimes in milliseconds (Infinity = never). */
export interface SessionBase {
  readonly createdAt: number
  readonly maxIdleMs: number
  readonly maxLifeMs: number
}

/** A valid id and the event that added it. */
export interface IdEntry {
  readonly hash: IdHash
  readonly dot: Dot
}

// ── Events: one commit to one session ─────────────────────────────────────────────────────────────────────────────

interface EventHead {
  readonly dot: Dot
  /** Hybrid logical clock (Kulkarni et al. 2014): orders concurrent writes, together with the actor. */
  readonly hlc: number
}

interface SessionEventHead extends EventHead {
  readonly birth: Dot
  /** Last access known to the writer; rides along for free. */
  readonly touchedAt: number
}

export type Event =
  /** birth = dot: the only event that makes a session complete. */
  | (SessionEventHead & {
      readonly type: 'create'
      readonly base: SessionBase
      readonly id: IdHash
      readonly writes: readonly RegisterWrite[]
    })
  | (SessionEventHead & { readonly type: 'write'; readonly writes: readonly RegisterWrite[] })
  /** Adds one id under this event's dot, removes the ids that the writer saw. */
  | (SessionEventHead & {
      readonly type: 'rotate'
      readonly id: IdHash
      readonly drops: readonly Dot[]
      readonly writes: readonly RegisterWrite[]
    })
  | (SessionEventHead & { readonly type: 'kill'; readonly reason: EndReason })
  /** Every session whose principal was set at or before `hlc` is over, also those not heard of yet. */
  | (EventHead & { readonly type: 'revoke'; readonly principal: string })

/** One session's state as one replica tells another, in whole or the part that the other lacks. */
export interface Fragment {
  readonly birth: Dot
  /** Absent while the creating event has not arrived: such a session is held, not served. */
  readonly base: SessionBase | undefined
  readonly touchedAt: number
  /** Highest hlc among the events included. */
  readonly highest: number
  readonly ids: readonly IdEntry[]
  /** Removals of ids whose adding event has not arrived. */
  readonly removedIds: readonly Dot[]
  /** Per actor, the last event of this session that is included. */
  readonly version: readonly Dot[]
  readonly registers: readonly Register[]
}

/** The news that a session is dead. `dot` is null where only its absence was learned. */
export interface Kill {
  readonly birth: Dot
  readonly dot: Dot | null
  readonly reason: EndReason
}

/** "Everything of this principal up to hlc is over", as held and synced. */
export interface Revocation {
  readonly principal: string
  readonly hlc: number
  readonly dot: Dot
}

/** All events of `actor` up to `base`, and the later ones listed in `extra` (ascending). */
export interface ContextEntry {
  readonly actor: number
  readonly base: number
  readonly extra: readonly number[]
}

/** One process start as the cluster knows it. */
export interface Member {
  readonly node: NodeId
  readonly actor: number
  /** Milliseconds since 1970 by its own clock: of two starts of one node, the later counts. */
  readonly startedAt: number
  readonly state: 'joining' | 'up' | 'left'
}

// ── What replicas say to each other ───────────────────────────────────────────────────────────────────────────────

export type Message =
  /** The sender's own events, in order. `ack`: somebody waits for the confirmation. */
  | { readonly type: 'delta'; readonly events: readonly Event[]; readonly ack: boolean }
  /** "I have these, up to base", changed entries only. */
  | { readonly type: 'ack'; readonly context: readonly ContextEntry[] }
  /** Everything I have, whom I hear, how I feel; once a second and when a link comes up. */
  | {
      readonly type: 'digest'
      readonly context: readonly ContextEntry[]
      readonly ready: boolean
      /** Actors this node has heard from lately, itself included. */
      readonly hears: readonly number[]
      /** Event-loop lag the sender measured, milliseconds: how much to trust its silence. */
      readonly lagMs: number
      /** The sender's wall clock, milliseconds since 1970. */
      readonly wallMs: number
    }
  | { readonly type: 'roster'; readonly members: readonly Member[] }
  | { readonly type: 'sync-request'; readonly round: number; readonly context: readonly ContextEntry[] }
  | {
      readonly type: 'sync-part'
      readonly round: number
      readonly job: number
      /** 0, 1, 2, … within the job. */
      readonly index: number
      readonly fragments: readonly Fragment[]
      readonly kills: readonly Kill[]
      readonly revocations: readonly Revocation[]
      /** Births alive at the sender when the job began; complete only over all parts, and only if the end says so. */
      readonly live: readonly Dot[]
    }
  | {
      readonly type: 'sync-end'
      readonly round: number
      readonly job: number
      readonly parts: number
      /** The sender's context when the job began. */
      readonly context: readonly ContextEntry[]
      /** Per actor: kill records of its kills up to here may have been forgotten. */
      readonly floor: readonly Dot[]
      /** Whether the parts listed every live birth. */
      readonly live: boolean
    }
  /** "Part `index` of the job is merged, send on." */
  | { readonly type: 'sync-credit'; readonly job: number; readonly index: number }
  /** Asks for single sessions, by birth or by id. `origin` is the event that added the id; null for a foreign id. */
  | {
      readonly type: 'pull'
      readonly query: number
      readonly births: readonly Dot[]
      readonly ids: readonly { readonly hash: IdHash; readonly origin: IdOrigin | null }[]
    }
  | {
      readonly type: 'pull-reply'
      readonly query: number
      readonly fragments: readonly Fragment[]
      readonly kills: readonly Kill[]
      /** Asked births that are dead here without a kill record. */
      readonly dead: readonly Dot[]
      /** Asked ids that this node once knew and dropped: rotated away, or their session is dead. */
      readonly dropped: readonly IdHash[]
      readonly floor: readonly Dot[]
      readonly ready: boolean
    }
  /** Last accesses, in batches. */
  | { readonly type: 'touches'; readonly entries: readonly Touch[] }
  /** "Has anybody seen these later than I have?" */
  | { readonly type: 'probe'; readonly query: number; readonly births: readonly Touch[] }
  /** Births seen later than asked, and births whose session must be kept because the answer is not certain. */
  | { readonly type: 'probe-reply'; readonly query: number; readonly later: readonly Touch[]; readonly keep: readonly Dot[] }
  /** The sender is going; `counter` is its last event. */
  | { readonly type: 'leave'; readonly counter: number }

export interface Touch {
  readonly birth: Dot
  readonly at: number
}

// ── What goes in ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What one browser has seen of one session (see stamp.ts). */
export interface Stamp {
  /** Highest hlc of this session the browser has seen. */
  readonly highest: number
  /** Last access the browser knows of, milliseconds since 1970. */
  readonly touchedAt: number
  /** Events of this session the browser has seen and not all nodes are known to have. */
  readonly dots: readonly Dot[]
}

export type Concern = 'async' | 'one' | 'quorum' | 'all'

/** One change a request asks for. A write is an intent, or already what an event carries. */
export type Commit =
  | { readonly type: 'create'; readonly id: IdHash; readonly base: SessionBase; readonly writes: CommitWrites }
  | { readonly type: 'write'; readonly birth: Dot; readonly writes: CommitWrites }
  | { readonly type: 'rotate'; readonly birth: Dot; readonly id: IdHash; readonly writes: CommitWrites }
  | { readonly type: 'kill'; readonly birth: Dot; readonly reason: EndReason }
  | { readonly type: 'revoke'; readonly principal: string }

export type CommitWrites = readonly (RegisterWrite | RegisterIntent)[]

/** A link is one connection to one peer actor; the number is never reused. */
export type LinkId = number

export type Input =
  | {
      readonly type: 'commit'
      readonly request: number
      readonly commit: Commit
      readonly concern: Concern
      /** When a wait for confirmations ends with outcome unknown. */
      readonly deadline: number
      readonly stamp?: Stamp | undefined
    }
  /** A request brings an id. `origin`: the event that added it, null for a foreign id. */
  | {
      readonly type: 'load'
      readonly request: number
      readonly id: IdHash
      readonly origin: IdOrigin | null
      readonly deadline: number
      readonly stamp?: Stamp | undefined
    }
  | { readonly type: 'touch'; readonly birth: Dot; readonly at: number }
  | { readonly type: 'link-up'; readonly link: LinkId; readonly member: Member; readonly dialled?: string | undefined }
  | { readonly type: 'link-down'; readonly link: LinkId }
  /** Frames to this peer were dropped since its queue was full; `link-drained`: it takes frames again. */
  | { readonly type: 'link-stale'; readonly link: LinkId }
  | { readonly type: 'link-drained'; readonly link: LinkId }
  /** A configured peer answered with a refusal, or not at all. */
  | { readonly type: 'unreachable'; readonly address: string; readonly refused: boolean }
  | { readonly type: 'message'; readonly link: LinkId; readonly message: Message }
  /** Send what is waiting to be sent: once per turn of the event loop. */
  | { readonly type: 'flush' }
  /** Periodic work; `lagMs`: how late it comes by the clock (negative where the clock went back). */
  | { readonly type: 'tick'; readonly lagMs: number }
  /** Leave: finish when every reachable peer has everything, or at the deadline. */
  | { readonly type: 'drain'; readonly deadline: number }
  | { readonly type: 'import'; readonly request: number; readonly fragment: Fragment }

// ── What comes out ────────────────────────────────────────────────────────────────────────────────────────────────

export type LoadAnswer =
  | { readonly state: 'found'; readonly birth: Dot; readonly stamp: Stamp; readonly stale: boolean }
  | { readonly state: 'none'; readonly why: 'unknown' | 'rotated' | 'gone' }
  | { readonly state: 'behind' }

export type Output =
  | { readonly type: 'send'; readonly links: readonly LinkId[]; readonly message: Message }
  | { readonly type: 'loaded'; readonly request: number; readonly answer: LoadAnswer }
  | {
      readonly type: 'committed'
      readonly request: number
      /** `refused`: this node's clock is in doubt, nothing was done. */
      readonly outcome: 'done' | 'unknown' | 'gone' | 'refused'
      readonly stamp?: Stamp | undefined
    }
  | { readonly type: 'imported'; readonly request: number; readonly outcome: 'imported' | 'known' | 'dead' }
  | { readonly type: 'changed'; readonly what: 'created' | 'changed' | 'rotated'; readonly birth: Dot; readonly local: boolean }
  | { readonly type: 'ended'; readonly birth: Dot; readonly reason: EndReason; readonly local: boolean }
  | { readonly type: 'ready' }
  | { readonly type: 'drained' }
  /** The peer broke a rule of the protocol that only a replica can see. */
  | { readonly type: 'quarantine'; readonly link: LinkId; readonly rule: string }
