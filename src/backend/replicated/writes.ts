import { Reserved, type CommitWrites, type Register, type RegisterIntent } from '../../replica/events.js'
import { isMerged } from '../../replica/merge/register.js'
import type { SessionState } from '../../replica/session-state.js'
import { RegisterKind, type AttributeWrite, type SessionDelta } from '../../session/session.js'
import { encodeMerged, intentOf } from '../merged-value.js'

/** A request's delta as registers: attributes, and the reserved ones for principal and lifetime. */
export function writesOf(delta: SessionDelta, session: SessionState | undefined): CommitWrites {
  const { writes, principal, maxIdleMs } = delta
  const isPlain = writes.every(({ kind }) => kind === RegisterKind.lww)
  const changes = isPlain ? writes : writes.map((write) => intended(write, session?.register(write.name)))
  if (principal === undefined && maxIdleMs === undefined) return changes
  const all: RegisterIntent[] = [...changes]
  if (principal !== undefined) all.push({ name: Reserved.principal, kind: RegisterKind.lww, value: principal })
  if (maxIdleMs !== undefined) all.push({ name: Reserved.maxIdleMs, kind: RegisterKind.lww, value: maxIdleMs })
  return all
}

function intended(write: AttributeWrite, held: Register | undefined): RegisterIntent {
  const { name, kind, value } = write
  const replaced = held === undefined || held.kind === kind ? undefined : encodedOf(held)
  return { name, kind, value: intentOf(write, replaced) ?? value }
}

function encodedOf({ value }: Register): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  return isMerged(value) ? encodeMerged(value) : undefined
}
