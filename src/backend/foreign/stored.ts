import { isExpired } from '../../session/session.js'
import { MemorySession } from '../memory/memory-session.js'
import type { PortableSession } from '../backend.js'
import { isForeignRecord, type ForeignRecord } from './record.js'

/**
 * A session as a store of express-session keeps it: `cookie`, from which such stores learn how long to keep it, and
 * everything that merging needs, in JSON.
 */
export function storedOf(session: MemorySession, now: number): ForeignRecord {
  const { createdAt, maxIdleMs, maxLifeMs, lastAccessedAt } = session
  const leftMs = Math.min(lastAccessedAt + maxIdleMs, createdAt + maxLifeMs) - now
  const lives = leftMs === Infinity ? { originalMaxAge: null, expires: null } : lifeOf(leftMs, now)
  return { cookie: { ...lives, httpOnly: true, path: '/' }, session: JSON.stringify(session.toPortable(), toJson) }
}

/** Undefined: not one of ours, or over. */
export function sessionOf(record: unknown, now: number): MemorySession | undefined {
  const portable = portableOf(record)
  if (portable === undefined) return undefined
  const session = new MemorySession(portable.birth, portable.createdAt, portable.maxLifeMs)
  session.merge(portable)
  return isExpired(session, now) ? undefined : session
}

function lifeOf(leftMs: number, now: number): ForeignRecord {
  return { originalMaxAge: leftMs, expires: new Date(now + leftMs).toISOString() }
}

function portableOf(record: unknown): PortableSession | undefined {
  if (!isForeignRecord(record) || typeof record['session'] !== 'string') return undefined
  try {
    const portable: unknown = JSON.parse(record['session'], fromJson)
    return isPortable(portable) ? portable : undefined
  } catch {
    return undefined
  }
}

/** Only this file writes what it reads; a store that mangles texts loses sessions, it does not make any up. */
function isPortable(value: unknown): value is PortableSession {
  if (!isForeignRecord(value)) return false
  const { birth, createdAt, ids, registers, version } = value
  return isForeignRecord(birth) && typeof createdAt === 'number' && [ids, registers, version].every(Array.isArray)
}

function toJson(_key: string, value: unknown): unknown {
  if (value === Infinity) return { $: 'Infinity' }
  if (Buffer.isBuffer(value)) return { $: value.toString('base64') }
  if (value instanceof Uint8Array) return { $: Buffer.from(value).toString('base64') }
  // A Buffer has made itself this before it gets here.
  if (isForeignRecord(value) && value['type'] === 'Buffer' && Array.isArray(value['data'])) {
    return { $: Buffer.from(value['data'] as number[]).toString('base64') }
  }
  return value
}

function fromJson(_key: string, value: unknown): unknown {
  if (!isForeignRecord(value) || typeof value['$'] !== 'string') return value
  return value['$'] === 'Infinity' ? Infinity : Buffer.from(value['$'], 'base64')
}
