/** When a write of a replicated session is done: `async` at once, else once so many other nodes have it. */
export type Acks = 'async' | 'one' | 'quorum' | 'all'

export const ACKS: readonly Acks[] = ['async', 'one', 'quorum', 'all']

/** What an application does to its sessions: everything a prediction needs to know about it. */
export interface Load {
  /** Alive at the same time. */
  readonly sessions: number
  /** Of one session, all its attributes together. */
  readonly bytes: number
  /** Of the attributes that one write replaces. */
  readonly changeBytes: number
  /** Requests per second, over all nodes. */
  readonly rate: number
  /** Share of the requests that change their session, 0 to 1; the others only read it. */
  readonly writes: number
  /** Processes that serve requests. */
  readonly nodes: number
  /** From one machine to another and back, milliseconds. */
  readonly rttMs: number
  readonly acks: Acks
}

/** Requests per second that change their session. */
export function writeRate({ rate, writes }: Load): number {
  return rate * writes
}

/** Requests per second that only read it. */
export function readRate({ rate, writes }: Load): number {
  return rate * (1 - writes)
}

/** How many attributes a session has, when all are as large as what a write replaces. */
export function attributesOf({ bytes, changeBytes }: Load): number {
  return Math.max(1, bytes / Math.max(1, changeBytes))
}
