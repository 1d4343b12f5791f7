/**
 * What grows with what: the shape of each quantity for sessions replicated to every node, and for one central
 * store.
 */
import type { Law, Term } from './law.js'
import { attributesOf, readRate, writeRate, type Load } from './load.js'

/**
 * Every write goes to every peer; at rest, every pair of nodes tells each other what it has, an entry per
 * node.
 */
export const REPLICATED_TRAFFIC: Law<Load> = {
  name: 'bytes sent over the cluster',
  unit: 'B/s',
  terms: [
    { name: 'each write, per peer', of: (load) => writeRate(load) * peers(load) },
    { name: 'each byte changed, per peer', of: (load) => writeRate(load) * load.changeBytes * peers(load) },
    { name: 'each confirmation by a peer', of: (load) => confirmed(load) * peers(load) },
    { name: 'each pair of nodes, at rest', of: (load) => load.nodes * peers(load) },
    { name: 'each node, in what a pair tells at rest', of: (load) => load.nodes ** 2 * peers(load) },
  ],
}

/** Every read fetches the session, every write sends what changed. */
export const CENTRAL_TRAFFIC: Law<Load> = {
  name: 'bytes to and from the store',
  unit: 'B/s',
  terms: [
    { name: 'each request', of: (load) => load.rate },
    { name: 'each byte fetched', of: (load) => load.rate * load.bytes },
    { name: 'each write', of: writeRate },
    { name: 'each byte changed', of: (load) => writeRate(load) * load.changeBytes },
  ],
}

/**
 * What goes to the peers, and what goes to the store behind them: of each session that is written to it is fetched whole,
 * and told what changed.
 */
export const TIERED_TRAFFIC: Law<Load> = {
  name: 'bytes sent over the cluster, and to and from the store',
  unit: 'B/s',
  terms: [
    ...REPLICATED_TRAFFIC.terms,
    { name: 'each write', of: writeRate },
    { name: 'each byte fetched or changed', of: (load) => writeRate(load) * (load.bytes + load.changeBytes) },
  ],
}

/**
 * A copy on every node, or one in the store: the same law with other coefficients. Sessions at rest are packed, the few
 * in use are not, and a heap has room to breathe: that is there once, and with few sessions it is most of all.
 */
export const MEMORY: Law<Load> = {
  name: 'memory for sessions',
  unit: 'B',
  terms: [
    { name: 'each session', of: (load) => load.sessions },
    { name: 'each byte of a session', of: (load) => load.sessions * load.bytes },
    { name: 'a process, whatever it keeps', of: () => 1 },
    { name: 'each attribute of a session', of: (load) => load.sessions * attributesOf(load) },
  ],
}

/**
 * A process that is woken finds the next things to do while it is awake: measured CPU of each falls with how many it is
 * woken for about as their root, in every server. Over so many processes that is the root of all times processes.
 */
function waking(wakes: (load: Load) => number): Term<Load> {
  return { name: 'waking up, less each time the busier it is', of: (load) => Math.sqrt(wakes(load) * load.nodes) }
}

const AT_REST: Term<Load> = { name: 'each node, at rest', of: ({ nodes }) => nodes }

/**
 * A write is work for its node and for every peer; a read for its node alone, which tells the others of it now and then
 * and looks at what the browser has seen.
 */
const COPIES_CPU: readonly Term<Load>[] = [
  { name: 'each read', of: readRate },
  { name: 'each write', of: writeRate },
  { name: 'each request, where there are peers', of: (load) => (load.nodes > 1 ? load.rate : 0) },
  { name: 'each write, per peer', of: (load) => writeRate(load) * peers(load) },
  { name: 'each byte changed, per peer', of: (load) => writeRate(load) * load.changeBytes * peers(load) },
]

/** Woken for every request, and for every write of another node. */
export const REPLICATED_CPU: Law<Load> = {
  name: 'CPU of all nodes',
  unit: 'cores',
  terms: [
    ...COPIES_CPU,
    { name: 'each confirmation by a peer', of: (load) => confirmed(load) * peers(load) },
    waking((load) => load.rate + writeRate(load) * peers(load)),
    AT_REST,
  ],
}

/** The same, and each write once more for what Redis holds of its session: it is fetched whole, and merged. */
export const TIERED_CPU: Law<Load> = {
  name: 'CPU of all nodes',
  unit: 'cores',
  terms: [
    ...COPIES_CPU,
    { name: 'each byte of a session written to', of: (load) => writeRate(load) * load.bytes },
    waking((load) => load.rate + writeRate(load) * load.nodes),
    AT_REST,
  ],
}

const CENTRAL_WORK: readonly Term<Load>[] = [
  { name: 'each read', of: readRate },
  { name: 'each byte fetched', of: (load) => load.rate * load.bytes },
  { name: 'each write', of: writeRate },
  { name: 'each byte changed', of: (load) => writeRate(load) * load.changeBytes },
]

/** The same whatever the number of nodes, but for waking them and what they do at rest. */
export const CENTRAL_CPU: Law<Load> = {
  name: 'CPU of all nodes',
  unit: 'cores',
  terms: [...CENTRAL_WORK, waking(({ rate }) => rate), AT_REST],
}

const STORE_AT_REST: Term<Load> = { name: 'the store, at rest', of: () => 1 }

/** One process, however many nodes: at rest it is there once. What several ask comes in more pieces than what one asks. */
export const STORE_CPU: Law<Load> = {
  name: 'CPU of the store',
  unit: 'cores',
  terms: [...CENTRAL_WORK, waking(({ rate }) => rate), STORE_AT_REST],
}

/** Of a store behind replicated memory: reads do not reach it. */
export const STORE_BEHIND_CPU: Law<Load> = {
  name: 'CPU of the store',
  unit: 'cores',
  terms: [
    { name: 'each write', of: writeRate },
    { name: 'each byte of a session written to', of: (load) => writeRate(load) * load.bytes },
    waking(writeRate),
    STORE_AT_REST,
  ],
}

/** How busy one process is, 0 to 1. */
export interface Busy {
  readonly busy: number
}

/** Busier than that, a little more load is a much longer queue: there is no p99 to promise. */
export const BUSY_MAX_OF_P99 = 0.7

/**
 * The slowest of a hundred requests: its own work, and waiting for others' as in a queue (M/M/1). The same whatever keeps
 * the sessions: what differs is how busy that makes the machine.
 */
export const P99: Law<Busy> = {
  name: 'p99 of a request',
  unit: 'ms',
  terms: [
    { name: 'a request by itself', of: () => 1 },
    { name: 'requests before it', of: ({ busy }) => busy / (1 - busy) },
  ],
}

function peers({ nodes }: Load): number {
  return nodes - 1
}

/** Writes per second that wait for other nodes. */
function confirmed(load: Load): number {
  return load.acks === 'async' || load.nodes < 2 ? 0 : writeRate(load)
}
