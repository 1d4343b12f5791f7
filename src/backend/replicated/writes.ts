import { Reserved, type CommitWrites, type Register, type RegisterIntent } from '../../replica/events.js'
import { isMerged } from '../../replica/merge/register.js'
import type { SessionState } from '../../replica/sessions/session-state.js'
import { keptBytes } from '../../session/kept.js'
import { RegisterKind, type AttributeWrite, type SessionDelta } from '../../session/session.js'
import { encodeMerged, intentOf } from '../merged-value.js'

/** A request's delta as registers: attributes, and the reserved ones for principal and lifetime. */
export function writesOf(delta: SessionDelta, session: SessionState | undefined): CommitWrites {
  const { writes, principal, maxIdleMs } = delta
  const isPlain = writes.every(({ kind }) => kind === RegisterKind.lww)
  const changes = writes.map((write) => (isPlain ? kept(write) : intended(write, session?.register(write.name))))
  if (principal === undefined && maxIdleMs === undefined) return changes
  const all: RegisterIntent[] = [...changes]
  if (principal !== undefined) all.push({ name: Reserved.principal, kind: RegisterKind.lww, value: principal })
  if (maxIdleMs !== undefined) all.push({ name: Reserved.maxIdleMs, kind: RegisterKind.lww, value: maxIdleMs })
  return all
}

function kept({ name, kind, value }: AttributeWrite): RegisterIntent {
  return { name, kind, value: value === null ? null : keptBytes(value) }
}

function intended(write: AttributeWrite, held: Register | undefined): RegisterIntent {
  const { name, kind } = write
  const replaced = held === undefined || held.kind === kind ? undefined : encodedOf(held)
  return { name, kind, value: intentOf(write, replaced) ?? kept(write).value }
}

function encodedOf({ value }: Register): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  return isMerged(value) ? encodeMerged(value) : undefined
}
