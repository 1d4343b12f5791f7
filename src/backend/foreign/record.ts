/** What express-session and its stores keep of a session: one JSON object, `cookie` among its keys. */
import type { AttributeWrite } from '../../session/session.js'
import { RegisterKind } from '../../session/session.js'
import { decodeValue, encodeValue } from '../../session/value.js'

export type ForeignRecord = Readonly<Record<string, unknown>>

/** The only key by which a value that JSON cannot say is told apart: base64 of its encoded bytes. */
const ENCODED = '$session-mesh'

export function isForeignRecord(value: unknown): value is ForeignRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Each top-level key is one attribute, `cookie` as well. */
export function writesOf(record: ForeignRecord): readonly AttributeWrite[] {
  return Object.entries(record).map(([name, value]) => ({ name, kind: RegisterKind.lww, value: bytesOf(value, name) }))
}

/** The idle lifetime by which the record was kept, milliseconds; undefined where it does not say. */
export function idleOf(record: ForeignRecord): number | undefined {
  const { cookie } = record
  if (!isForeignRecord(cookie)) return undefined
  const { originalMaxAge } = cookie
  return typeof originalMaxAge === 'number' && originalMaxAge > 0 ? originalMaxAge : undefined
}

/** A value as JSON where that is exact, so that other readers of the store understand it. */
export function jsonOf(bytes: Uint8Array): unknown {
  const decoded = decodeValue(bytes)
  if (!decoded.ok) return undefined
  const text = JSON.stringify(decoded.value)
  const isExact = text !== undefined && Buffer.compare(encodeValue(JSON.parse(text), ''), bytes) === 0
  return isExact ? decoded.value : { [ENCODED]: Buffer.from(bytes).toString('base64') }
}

export function bytesOf(value: unknown, name: string): Uint8Array {
  if (isForeignRecord(value) && typeof value[ENCODED] === 'string') return Buffer.from(value[ENCODED], 'base64')
  return encodeValue(value, name)
}
