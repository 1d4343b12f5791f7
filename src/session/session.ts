/**
 * The words every other folder uses: what a session is, how one request changes it, and how it is named.
 * No I/O, no clock.
 */

/** One event of one process start: the actor (a random 53-bit integer drawn at start) and its how-manieth event. */
export interface Dot {
  readonly actor: number
  readonly counter: number
}

/** What names a session for good: the dot of the event that created it. Ids are only revocable names of it. */
export type SessionRef = Dot

/** What a browser holds: base64url, self-describing and tagged (session/id.ts). Never logged, never sent to a peer. */
export type SessionId = string & { readonly __brand: 'SessionId' }

/** What tables, peers, Redis keys and logs hold instead of the id: 22 base64url characters of its SHA-256. */
export type IdHash = string & { readonly __brand: 'IdHash' }

/** The event that added an id, as the id itself tells: the low 32 bits of the actor, and the counter. */
export interface IdOrigin {
  readonly actorTag: number
  readonly counter: number
}

/** The low 32 bits of an actor, as an id carries them. */
export function actorTag(actor: number): number {
  return actor % 0x1_0000_0000
}

/** The configured, stable name of a node. */
export type NodeId = string & { readonly __brand: 'NodeId' }

/**
 * How concurrent writes of one attribute merge. `lww`: the later write wins. `counter`: additions add up. `max`: the
 * greatest number wins. `set`: additions and removals of elements all count, an addition wins over a removal that has
 * not seen it. Every other kind is carried like `lww`, without looking into it.
 */
export const RegisterKind = { lww: 0, counter: 1, max: 2, set: 3 } as const

export type MergeKind = keyof typeof RegisterKind

/**
 * One attribute as one commit writes it. `null` removes the attribute, whatever its kind. Values are encoded by
 * session/value.ts: of `counter` what is added (a number), of `max` a number, of `set` what merge-value.ts makes.
 */
export interface AttributeWrite {
  readonly name: string
  readonly kind: number
  readonly value: Uint8Array | null
}

/** Everything one request changed in one session. Absent parts are unchanged. */
export interface SessionDelta {
  readonly writes: readonly AttributeWrite[]
  /** New idle lifetime, milliseconds; Infinity = never. */
  readonly maxIdleMs?: number
  /** Whose session this is from now on; `null` = nobody's. */
  readonly principal?: string | null
}

/** The encoded attributes of one session at one moment. Never changes once handed out; a Map satisfies it. */
export interface Attributes {
  get(name: string): Uint8Array | undefined
  has(name: string): boolean
  keys(): Iterable<string>
  readonly size: number
  /** Of all names (by characters) and values, where that is known without looking at each. */
  readonly bytes?: number
}

/** One session as a request sees it: a snapshot. Times are milliseconds since 1970. */
export interface SessionRecord {
  readonly createdAt: number
  readonly lastAccessedAt: number
  /** Idle lifetime, milliseconds; Infinity = never expires by idleness. */
  readonly maxIdleMs: number
  /** Absolute lifetime since createdAt, milliseconds; Infinity = none. */
  readonly maxLifeMs: number
  readonly principal: string | undefined
  /** When it became theirs, in hybrid time: for comparing sessions. Absent where nobody's, or where not known. */
  readonly principalSince?: number | undefined
  readonly attributes: Attributes
}

/** What decides when a session is over. */
export type Lifetimes = Pick<SessionRecord, 'createdAt' | 'lastAccessedAt' | 'maxIdleMs' | 'maxLifeMs'>

/** When the session ends if nobody touches it again: milliseconds since 1970, Infinity = never. */
export function expiresAt(session: Lifetimes): number {
  return Math.min(session.lastAccessedAt + session.maxIdleMs, session.createdAt + session.maxLifeMs)
}

/** Whether the session is over at `now`: idle for longer than maxIdleMs, or older than maxLifeMs. */
export function isExpired(session: Lifetimes, now: number): boolean {
  return now >= expiresAt(session)
}

/** Whether two dots name the same event. */
export function sameDot(a: Dot, b: Dot): boolean {
  return a.actor === b.actor && a.counter === b.counter
}

/** Why a session ended. */
export type EndReason = 'destroyed' | 'expired' | 'logged-out' | 'replaced' | 'duplicate'
