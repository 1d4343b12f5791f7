import type { Log } from '../../log.js'
import type { Concern } from '../../replica/events.js'
import type { IdCodec } from '../../session/id.js'
import type { NodeId } from '../../session/session.js'
import type { Transport } from '../../transport/transport.js'
import type { SeenSealer } from './seen.js'

export interface ReplicatedOptions {
  readonly node: NodeId
  /** Random 53-bit integer, new at every start. */
  readonly actor: number
  readonly startedAt: number
  readonly transport: Transport
  /** `host:port` of every configured peer; our own address among them is ignored. */
  readonly peers: readonly string[]
  readonly ids: IdCodec
  readonly seals: SeenSealer
  readonly now: () => number
  readonly log: Log
  /** How long a configured peer may be silent before we are ready without it, milliseconds. */
  readonly bootstrapTimeoutMs?: number
  readonly stamps?: {
    /** Longest wait for what a browser has seen, milliseconds. */
    readonly waitMs: number
    readonly onStale: 'serve' | '503'
    readonly onLost: 'accept' | 'error' | 'fresh'
    /** false: tokens are neither made nor honoured. */
    readonly enabled?: boolean
  }
  readonly acks?: {
    readonly write: Concern
    readonly kill: Concern
    readonly rotate: Concern
    /** Milliseconds until a wait for confirmations ends as `unknown`. */
    readonly withinMs: number
  }
  readonly limits?: { readonly sessions: number }
}

export const ACKS_DEFAULT = { write: 'async', kill: 'all', rotate: 'all', withinMs: 250 } as const
