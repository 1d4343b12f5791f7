/**
 * What an operation waits for, in round trips. Nothing here is measured: it follows from the protocol, and
 * test/properties/trade-off holds it against replicas in virtual time.
 */
import { invariant } from '../invariant.js'
import type { Acks } from './load.js'

/**
 * A primary's replicas that a centralised write waits for (WAIT): round trips to them, and how many are asked
 * for.
 */
export interface WaitFor {
  readonly replicas: number
  readonly tripsMs: readonly number[]
}

/** How many other nodes have to have a write before it is answered. */
export function confirmations(acks: Acks, nodes: number): number {
  switch (acks) {
    case 'async':
      return 0
    case 'one':
      return Math.min(1, nodes - 1)
    case 'quorum':
      return Math.floor(nodes / 2)
    case 'all':
      return nodes - 1
  }
}

/** A replicated write: nothing, or the round trip to the fastest, the median or the slowest peer. */
export function replicatedWriteMs(acks: Acks, tripsMs: readonly number[]): number {
  return nthFastest(tripsMs, confirmations(acks, tripsMs.length + 1))
}

/**
 * A replicated read: nothing, unless the browser has seen more than the node holds. That is on its way, and is waited for:
 * one way, where events are sent at once; nobody is asked.
 */
export function replicatedReadMs(isAhead: boolean, arrivesInMs: number): number {
  return isAhead ? arrivesInMs : 0
}

/** A read of a central store: always there and back. */
export function centralReadMs(storeTripMs: number): number {
  return storeTripMs
}

/**
 * A write to it: the same; confirmed by replicas, one more, and the way to the last replica that was asked
 * for.
 */
export function centralWriteMs(storeTripMs: number, wait?: WaitFor): number {
  return wait === undefined ? storeTripMs : 2 * storeTripMs + nthFastest(wait.tripsMs, wait.replicas)
}

/** How long a replicated write may be unseen by a peer: until it is sent, and on its way. */
export function unseenMs(flushMs: number, oneWayMs: number): number {
  return flushMs + oneWayMs
}

/** The `n`-th smallest; nothing is waited for when none is asked for. */
function nthFastest(tripsMs: readonly number[], n: number): number {
  if (n === 0) return 0
  const nth = [...tripsMs].sort((a, b) => a - b)[n - 1]
  invariant(nth !== undefined, 'more confirmations are asked for than there are peers')
  return nth
}
