import type { NodeId } from '../session/session.js'
import type { LookupOptions } from './answers.js'
import { STAMP_DOTS_MAX } from './stamp.js'

export interface ReplicaOptions extends LookupOptions {
  readonly node: NodeId
  /** Random, new at every process start: a restarted process is a new identity. */
  readonly actor: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Addresses of the configured peers, without our own. */
  readonly peers: readonly string[]
  readonly bootstrapTimeoutMs: number
  /** A peer unheard for longer is not waited for, milliseconds. */
  readonly suspectAfterMs: number
  /** A member unheard for longer no longer counts, milliseconds. */
  readonly forgetAfterMs: number
  readonly maxSkewMs: number
  /** Kill records are kept at least this long for cheap spreading, milliseconds. */
  readonly killsKeptMs: number
  readonly killsMax: number
  /** Sessions in one part of an answer to a sync request. */
  readonly partFragmentsMax: number
  /** Events that one stamp lists at most. */
  readonly stampDotsMax: number
  /** How long an id that was replaced, or whose session ended, is told apart from an unknown one, milliseconds. */
  readonly rotatedKeptMs: number
  /**
   * Sessions used again that are kept ready, beside a sixteenth as many new ones and the few that cannot be packed. All
   * others are packed.
   */
  readonly warmSessionsMax: number
}

export const REPLICA_DEFAULTS = {
  waitMs: 1_000,
  onStale: 'serve',
  onLost: 'accept',
  bootstrapTimeoutMs: 3_000,
  suspectAfterMs: 3_000,
  forgetAfterMs: 3_600_000,
  maxSkewMs: 10_000,
  killsKeptMs: 60_000,
  killsMax: 100_000,
  partFragmentsMax: 400,
  stampDotsMax: STAMP_DOTS_MAX,
  rotatedKeptMs: 30_000,
  warmSessionsMax: 1_024,
} as const
