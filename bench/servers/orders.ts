/** What a server tells the process that started it, and what it can be asked over IPC. */

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
