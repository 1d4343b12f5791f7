/** What a server tells the process that started it, and what it can be asked over IPC. */
import type { Curve } from '../question.js'
import type { Carried } from './relay.js'

/** From the environment variable BENCH_SERVER, as JSON. */
export interface ServerSpec {
  readonly node: string
  readonly store?: 'memory' | 'memorystore' | 'connect-redis'
  /** `redis://host:port`. */
  readonly redis?: string
  /** A ClusterConfig. */
  readonly config?: object
  /** Path of a cluster.config.ts; `listen` and `peers` win over what it says. */
  readonly configFile?: string
  readonly listen?: string
  readonly peers?: readonly string[]
}

/** By name: what is sent along, and what is answered. Add what a question needs. */
export interface Orders {
  /** CPU milliseconds of this process so far. */
  readonly cpu: { readonly argument: null; readonly answer: number }
  /** What the backend counted, by metric name. */
  readonly counters: { readonly argument: null; readonly answer: Readonly<Record<string, number>> }
  /** A forced full collection (needs --expose-gc): how long it took, milliseconds, and what was left, bytes. */
  readonly gc: { readonly argument: null; readonly answer: { readonly ms: number; readonly heap: number; readonly rss: number } }
  /** Makes sessions without HTTP; how many seconds it took. */
  readonly fill: { readonly argument: Filling; readonly answer: number }
  /** Replaces the first attribute of one session after the other, evenly spaced, and notes the pauses of the collector. */
  readonly churn: { readonly argument: Churning; readonly answer: { readonly writes: number; readonly pauses: Curve } }
  /** From now on notes when changes made elsewhere can be read here. */
  readonly watch: { readonly argument: null; readonly answer: null }
  /** By version of the text (text.ts), when it could be read here: microseconds of the machine's monotonic clock. */
  readonly seen: { readonly argument: null; readonly answer: readonly Moment[] }
  /** Writes one version after the other at a rate; when each began. */
  readonly write: { readonly argument: Churning; readonly answer: readonly Moment[] }
  /** Writes as fast as it can, in batches, and waits for another node to confirm the last write only if `confirmed`. */
  readonly rush: { readonly argument: Rushing; readonly answer: null }
  /** Links to peers that came and went, and when this node became ready: by the monotonic clock. */
  readonly history: { readonly argument: null; readonly answer: readonly HistoryEntry[] }
  /** How late its event loop was since this was asked last, milliseconds. */
  readonly lag: { readonly argument: null; readonly answer: { readonly p99: number; readonly longest: number } }
  /** From now on samples what the main thread does. */
  readonly sample: { readonly argument: null; readonly answer: null }
  /** What it did since then. */
  readonly sampled: { readonly argument: null; readonly answer: SampledTimes }
  /** Bytes that went through each wire of a relay. */
  readonly carried: { readonly argument: null; readonly answer: readonly Carried[] }
}

export interface SampledTimes {
  /** CPU of all threads, milliseconds: without what it took to begin and to end. */
  readonly cpuMs: number
  /** Microseconds of the main thread, by the url of the code that ran. */
  readonly times: Readonly<Record<string, number>>
}

export interface Filling {
  readonly sessions: number
  readonly attributes: number
  readonly bytes: number
}

export interface Churning {
  /** Per second. */
  readonly rate: number
  readonly seconds: number
  readonly bytes: number
}

export interface Rushing {
  readonly writes: number
  readonly bytes: number
  readonly confirmed: boolean
}

export type Moment = readonly [version: number, atUs: number]

export interface HistoryEntry {
  readonly event: 'link-up' | 'link-down' | 'ready'
  readonly atUs: number
}

export type OrderName = keyof Orders

export type Handlers = {
  readonly [Name in OrderName]?: (argument: Orders[Name]['argument']) => Orders[Name]['answer'] | Promise<Orders[Name]['answer']>
}

export interface OrderMessage {
  readonly order: number
  readonly name: OrderName
  readonly argument: unknown
}

export type Report =
  | { readonly type: 'listening'; readonly ports: readonly number[] }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly error: string }
  | { readonly type: 'answer'; readonly order: number; readonly answer?: unknown; readonly error?: string }
