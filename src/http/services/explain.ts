import type { SessionBackend } from '../../backend/backend.js'
import { expiresAt, type SessionRef } from '../../session/session.js'
import type { CreationStacks } from './creation-stacks.js'

/** What this node knows of one session, for the people who run it: no id and no values. Times since 1970. */
export interface Explanation {
  readonly ref: SessionRef
  /** False: it is over, or this node does not hold it. */
  readonly found: boolean
  readonly createdAt?: number
  readonly lastAccessedAt?: number
  /** When it ends unless somebody uses it; Infinity: never. */
  readonly expiresAt?: number
  /** Whether it is somebody's. */
  readonly hasPrincipal?: boolean
  readonly attributes?: readonly { readonly name: string; readonly bytes: number }[]
  /** Who made it, if that was on this node, lately, and with `debug.creationStacks`. */
  readonly creationStack?: readonly string[]
}

export async function explain(backend: SessionBackend, ref: SessionRef, stacks?: CreationStacks): Promise<Explanation> {
  const record = await backend.read(ref)
  // Not before: whoever asks on hearing of a new session is quicker than its origin is noted.
  const creationStack = stacks?.of(ref)
  const origin = creationStack === undefined ? {} : { creationStack }
  if (record === undefined) return { ref, found: false, ...origin }
  const { createdAt, lastAccessedAt, principal, attributes } = record
  return {
    ref,
    found: true,
    createdAt,
    lastAccessedAt,
    expiresAt: expiresAt(record),
    hasPrincipal: principal !== undefined,
    attributes: [...attributes.keys()].map((name) => ({ name, bytes: attributes.get(name)?.byteLength ?? 0 })),
    ...origin,
  }
}
