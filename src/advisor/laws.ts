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
 * Of a node that is woken for a request, the next ones find it awake: measured CPU per request falls with the rate of a
 * node about as its root, in every server. Over all nodes that is the root of rate times nodes.
 */
const WAKING: Term<Load> = { name: 'waking up, less per request the busier a node is', of: ({ rate, nodes }) => Math.sqrt(rate * nodes) }

/**
 * A write is work for its node and for every peer; a read for its node alone, which tells the others of it now and then
 * and looks at what the browser has seen.
 */
export const REPLICATED_CPU: Law<Load> = {
  name: 'CPU of all nodes',
  unit: 'cores',
  terms: [
    { name: 'each read', of: readRate },
    { name: 'each write', of: writeRate },
    { name: 'each request, where there are peers', of: (load) => (load.nodes > 1 ? load.rate : 0) },
    { name: 'each write, per peer', of: (load) => writeRate(load) * peers(load) },
    { name: 'each byte changed, per peer', of: (load) => writeRate(load) * load.changeBytes * peers(load) },
    { name: 'each confirmation by a peer', of: (load) => confirmed(load) * peers(load) },
    WAKING,
    { name: 'each node, at rest', of: ({ nodes }) => nodes },
  ],
}

/** The same whatever the number of nodes, but for what they do at rest: of the nodes together, or of the store. */
export const CENTRAL_CPU: Law<Load> = {
  name: 'CPU',
  unit: 'cores',
  terms: [
    { name: 'each read', of: readRate },
    { name: 'each byte fetched', of: (load) => load.rate * load.bytes },
    { name: 'each write', of: writeRate },
    { name: 'each byte changed', of: (load) => writeRate(load) * load.changeBytes },
    WAKING,
    { name: 'each node, at rest', of: ({ nodes }) => nodes },
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
