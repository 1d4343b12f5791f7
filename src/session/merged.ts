/**
 * What an attribute holds whose concurrent writes merge instead of replacing each other: as a request asks for it
 * (Intent), as an event carries it (Change), and as a session holds it (Merged). Plain data; replica/merge/ computes.
 */
import type { Dot } from './session.js'

/**
 * The write from which on an attribute counts: its removal, or its first write of this kind where it was of another.
 * What was written in an earlier epoch is over, also where it arrives later. Compared by (hlc, actor).
 */
export interface Epoch {
  readonly hlc: number
  readonly dot: Dot
}

/** From the beginning: of all that was never removed. Those who write first at the same time share it. */
export const FIRST_EPOCH: Epoch = { hlc: 0, dot: { actor: 0, counter: 0 } }

// ── What a request asks for ───────────────────────────────────────────────────────────────────────────────────────

export type Intent =
  | { readonly type: 'counter'; readonly add: number }
  | { readonly type: 'max'; readonly value: number }
  /** Encoded elements, ascending by their bytes, each once. */
  | { readonly type: 'set'; readonly add: readonly Uint8Array[]; readonly remove: readonly Uint8Array[] }

// ── What an event carries ─────────────────────────────────────────────────────────────────────────────────────────

export type Change = CounterChange | MaxChange | SetChange

export interface CounterChange {
  readonly type: 'counter'
  readonly epoch: Epoch
  /** What all additions of this actor in this epoch come to: taken in twice, it counts once. */
  readonly sum: number
}

export interface MaxChange {
  readonly type: 'max'
  readonly epoch: Epoch
  readonly value: number
}

export interface SetChange {
  readonly type: 'set'
  readonly epoch: Epoch
  readonly add: readonly Uint8Array[]
  /** Elements with those of their additions that the writer had seen: others survive (observed-remove). */
  readonly remove: readonly SetElement[]
}

// ── What a session holds ──────────────────────────────────────────────────────────────────────────────────────────

export type Merged = CounterState | MaxState | SetState

export interface CounterState {
  readonly type: 'counter'
  readonly epoch: Epoch
  /** One per actor, ascending. None: removed. */
  readonly entries: readonly CounterEntry[]
}

export interface CounterEntry {
  /** The actor's last addition. */
  readonly dot: Dot
  readonly sum: number
}

export interface MaxState {
  readonly type: 'max'
  readonly epoch: Epoch
  /** The greatest value and who wrote it. Null: removed. */
  readonly top: { readonly dot: Dot; readonly value: number } | null
}

export interface SetState {
  readonly type: 'set'
  readonly epoch: Epoch
  /** Ascending by their bytes. */
  readonly elements: readonly SetElement[]
  /** Removals of additions that have not arrived; ascending like elements. */
  readonly removed: readonly SetElement[]
  /** Per actor, ascending, the last write that is included. None: removed. */
  readonly seen: readonly Dot[]
}

export interface SetElement {
  readonly bytes: Uint8Array
  /** Additions: per actor, ascending, the last one. */
  readonly dots: readonly Dot[]
}
