import type { Merged } from '../session/merged.js'
import type { EndReason, SessionDelta, SessionId, SessionRecord, SessionRef } from '../session/session.js'

/**
 * Where sessions live. The HTTP layer knows nothing else. Two rules hold everywhere:
 *
 * - A missing session is an answer, never an error. `save` of a session that is gone never revives it.
 * - Every call answers within its deadline, with an outcome or by rejecting with a BackendError.
 *
 * Backends in process may answer synchronously, and do on their hot path; callers `await` only real promises.
 */
export interface SessionBackend {
  readonly type: string
  readonly powers: BackendPowers

  /** Finds the session that `id` names. `seen` is what the browser brought along (see SeenTokens). */
  load(id: string, seen: SeenTokens | undefined, options: LoadOptions): Answer<LoadResult>

  /**
   * The session as it is known here now; undefined where it is over or not held. Waits for no other node: for whoever
   * has loaded the session and goes on for longer than a request, whatever id it has by now.
   */
  read(ref: SessionRef): Answer<SessionRecord | undefined>

  /** Makes a session and its first id. Never touches an existing one. */
  create(delta: SessionDelta, options: CreateOptions): Answer<Created>

  /** Merges the delta, attribute by attribute, into the session that a request loaded. */
  save(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Answer<Committed>

  /** Replaces the session's ids by one new id and merges the delta, in one step. Data and ref stay. */
  rotate(ref: SessionRef, delta: SessionDelta, options: CommitOptions): Answer<Rotated>

  /** Ends the session for good, on every node. Ending one that is gone answers `gone`. */
  destroy(ref: SessionRef, reason: EndReason, options: CommitOptions): Answer<Committed>

  /** Notes an access at `at` (milliseconds since 1970). Never creates, never revives, never fails. */
  touch(ref: SessionRef, at: number): void

  /** Live sessions of one principal. Needs `powers.principals`. */
  find(principal: string): Answer<readonly SessionRef[]>

  /** Ends every session of one principal, those this node has not heard of included. Needs `powers.principals`. */
  revoke(principal: string, options: CommitOptions): Answer<Committed & { readonly sessions: number }>

  /** Every live session, for another backend to import. `cursor` continues an interrupted walk after that birth (births.ts). */
  exportAll(cursor?: string): AsyncIterable<PortableSession>

  /** One live session, for another backend to import; undefined where it is over or not held. Waits for no other node. */
  exportOne(ref: SessionRef): Answer<PortableSession | undefined>

  /** Merges a session that another backend exported. Idempotent. */
  importOne(session: PortableSession): Answer<'imported' | 'known' | 'dead'>

  /** A fingerprint of all live sessions: equal digests, equal content. */
  digest(): Answer<string>

  /** Opens what is needed to answer. Rejects with one line that says what failed and how to mend it. */
  open(): Promise<void>

  /** Resolves when every session can be served; `health()` is the same as a question. */
  ready(): Promise<void>

  /** Drains what is unsent, then closes. Idempotent. */
  close(): Promise<void>

  /** Live sessions held here, and the bytes of their values. */
  size(): { readonly sessions: number; readonly bytes: number }

  /** What /readyz, `status` and `metrics()` show. */
  health(): BackendHealth

  /** Counters so far, by metric name (units in the name). */
  counters(): Readonly<Record<string, number>>

  /** Tells `listener` of what happens to sessions here and on other nodes. Returns how to stop. */
  subscribe(listener: (event: SessionEvent) => void): () => void
}

export type Answer<T> = T | Promise<T>

/** Optional powers are declared, not discovered by failing. */
export interface BackendPowers {
  /** Session events, and whether they reach the whole cluster. */
  readonly events: 'cluster' | 'local' | false
  /** `find` and `revoke`. */
  readonly principals: boolean
  /** `seen` tokens are made and honoured. */
  readonly stamps: boolean
  /** Reads are answered from copies that confirmations (`acks`) say nothing of: only stamps tell how old one is. */
  readonly copies?: true
  /** Writes of every RegisterKind merge. Without it all writes must be `lww`. */
  readonly merges?: boolean
}

/** What the browser has seen, by slot: opaque, signed, never changed. The HTTP layer carries it and never looks inside. */
export type SeenTokens = ReadonlyMap<string, string>

export interface LoadOptions {
  /** Latest moment to answer at, milliseconds since 1970. */
  readonly deadline: number
}

export type LoadResult =
  | {
      readonly state: 'found'
      readonly ref: SessionRef
      readonly session: SessionRecord
      /** Tokens to hand back to the browser: only the slots that were raised. Absent: nothing to set. */
      readonly seen?: SeenTokens
      /** Served although this node may be behind what the browser has seen (policy `onStale: 'serve'`). */
      readonly stale?: true
    }
  /** No session: never known, replaced by a rotation, or ended. A browser is told the same for all three. */
  | { readonly state: 'none'; readonly why: 'unknown' | 'rotated' | 'gone' }
  /** This node cannot tell yet. Answer 503, never an anonymous session. */
  | { readonly state: 'behind'; readonly retryAfterMs: number }

export type Acks = 'async' | 'one' | 'quorum' | 'all'

export interface CommitOptions {
  /** How many other nodes must confirm before the answer. Default: the backend's, by kind of commit. */
  readonly acks?: Acks
  /** How long to wait for them, milliseconds. Then the outcome is `unknown`: never rolled back. */
  readonly withinMs?: number
  /** What the browser brought along with the request. */
  readonly seen?: SeenTokens
}

export interface CreateOptions extends CommitOptions {
  readonly maxIdleMs: number
  readonly maxLifeMs: number
  /**
   * The id, made by somebody else (express-session's `genid`): 1 to 256 characters. Default: the backend makes one. If it
   * names a live session, nothing is made: the outcome is `gone`, and `ref` is that of the session which has the id.
   */
  readonly id?: string
}

/**
 * `done`: as many nodes as asked for have it. `unknown`: applied here, not enough confirmations in time.
 * `gone`: the session had ended; nothing was written.
 */
export interface Committed {
  readonly outcome: 'done' | 'unknown' | 'gone'
  readonly seen?: SeenTokens
}

export interface Created extends Committed {
  readonly id: SessionId
  readonly ref: SessionRef
}

export type Rotated = (Committed & { readonly id: SessionId }) | { readonly outcome: 'gone'; readonly id?: undefined; readonly seen?: undefined }

export interface BackendHealth {
  readonly ready: boolean
  /** One line for people: what is missing, or `ready`. */
  readonly detail: string
  readonly node?: string
  readonly peers: readonly PeerHealth[]
}

export interface PeerHealth {
  readonly node: string
  readonly address: string
  readonly state: 'up' | 'down' | 'refused'
  /** Why it is not up, for people. */
  readonly detail?: string
}

/** `local`: true on exactly one node of the cluster, the one whose request caused it. */
export type SessionEvent =
  | { readonly type: 'created' | 'changed' | 'rotated'; readonly ref: SessionRef; readonly local: boolean }
  | { readonly type: 'destroyed' | 'expired'; readonly ref: SessionRef; readonly reason: EndReason; readonly local: boolean }

/** A session on its way between backends: everything that merging it elsewhere needs. */
export interface PortableSession {
  readonly birth: SessionRef
  readonly createdAt: number
  readonly maxLifeMs: number
  readonly touchedAt: number
  readonly ids: readonly { readonly hash: string; readonly dot: SessionRef }[]
  readonly registers: readonly PortableRegister[]
  readonly version: readonly SessionRef[]
  readonly highest: number
  /** How many commits made it, where the exporting backend counts them for its stamps (counted-stamps.ts). */
  readonly commits?: number
}

export interface PortableRegister {
  readonly name: string
  readonly kind: number
  /** As a request reads it; null = removed. */
  readonly value: Uint8Array | string | number | null
  /** What a value of a merging kind is made of. Who imports one without it takes the value as `lww`. */
  readonly merged?: Merged
  readonly hlc: number
  readonly dot: SessionRef
}
