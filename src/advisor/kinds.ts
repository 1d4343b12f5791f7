/** The ways to keep sessions that are weighed, as data: what each is fitted from, and by which laws it grows. */
import type { Law } from './law.js'
import {
  CENTRAL_CPU,
  CENTRAL_TRAFFIC,
  REPLICATED_CPU,
  REPLICATED_TRAFFIC,
  STORE_BEHIND_CPU,
  STORE_CPU,
  TIERED_CPU,
  TIERED_TRAFFIC,
} from './laws.js'
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
  /** Undefined where there is no store. */
  readonly storeCpu: Law<Load> | undefined
  /** Whether nodes hold a copy of every session. */
  readonly hasCopies: boolean
}

export const KINDS: readonly Kind[] = [
  {
    name: 'replicated',
    variants: { 'mesh-async': 'async', 'mesh-one': 'one', 'mesh-quorum': 'quorum', 'mesh-all': 'all' },
    cpu: REPLICATED_CPU,
    traffic: REPLICATED_TRAFFIC,
    storeCpu: undefined,
    hasCopies: true,
  },
  {
    name: 'tiered',
    variants: { 'mesh-tiered-behind': 'async' },
    cpu: TIERED_CPU,
    traffic: TIERED_TRAFFIC,
    storeCpu: STORE_BEHIND_CPU,
    hasCopies: true,
  },
  {
    name: 'redis',
    variants: { 'mesh-redis': 'async' },
    cpu: CENTRAL_CPU,
    traffic: CENTRAL_TRAFFIC,
    storeCpu: STORE_CPU,
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
