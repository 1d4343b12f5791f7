/** The ways to keep sessions that are weighed, as data: what each is fitted from, and by which laws it grows. */
import type { Law } from './law.js'
import { CENTRAL_CPU, CENTRAL_TRAFFIC, REPLICATED_CPU, REPLICATED_TRAFFIC } from './laws.js'
import { ACKS, type Acks, type Load } from './load.js'

export type KindName = 'replicated' | 'redis' | 'tiered'

/** What is predicted of every kind; `store` is Redis. */
export type Quantity = 'cpu' | 'storeCpu' | 'traffic' | 'memory' | 'storeMemory' | 'p99'

export interface Kind {
  readonly name: KindName
  /** Variants of the benchmark that are this kind, and the acks they were measured with. */
  readonly variants: Readonly<Record<string, Acks>>
  readonly cpu: Law<Load>
  readonly traffic: Law<Load>
  readonly hasStore: boolean
  /** Whether nodes hold a copy of every session. */
  readonly hasCopies: boolean
}

export const KINDS: readonly Kind[] = [
  {
    name: 'replicated',
    variants: { 'mesh-async': 'async', 'mesh-one': 'one', 'mesh-quorum': 'quorum', 'mesh-all': 'all' },
    cpu: REPLICATED_CPU,
    traffic: REPLICATED_TRAFFIC,
    hasStore: false,
    hasCopies: true,
  },
  {
    name: 'tiered',
    variants: { 'mesh-tiered-behind': 'async' },
    cpu: REPLICATED_CPU,
    // What goes to the peers and what goes to Redis, each byte changed in both.
    traffic: { ...REPLICATED_TRAFFIC, terms: [...REPLICATED_TRAFFIC.terms, ...CENTRAL_TRAFFIC.terms.slice(2)] },
    hasStore: true,
    hasCopies: true,
  },
  {
    name: 'redis',
    variants: { 'mesh-redis': 'async' },
    cpu: CENTRAL_CPU,
    traffic: CENTRAL_TRAFFIC,
    hasStore: true,
    hasCopies: false,
  },
]

/** A kind with its acks: one line of the advice, and of a configuration. */
export interface Candidate {
  readonly kind: Kind
  readonly acks: Acks
  readonly title: string
  readonly config: string
}

export const CANDIDATES: readonly Candidate[] = KINDS.flatMap((kind): readonly Candidate[] => {
  switch (kind.name) {
    case 'replicated':
      return ACKS.map((acks) => {
        const config = `backend: { type: 'replicated', acks: { write: '${acks}' } }`
        return { kind, acks, title: `replicated, acks ${acks}`, config }
      })
    case 'tiered':
      return [{ kind, acks: 'async', title: 'replicated before Redis', config: "backend: { type: 'tiered' }" }]
    case 'redis':
      return [{ kind, acks: 'async', title: 'Redis', config: "backend: { type: 'redis' }" }]
  }
})
