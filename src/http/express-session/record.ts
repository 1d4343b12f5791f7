import type { LoadResult } from '../../backend/backend.js'
import type { SessionRecord } from '../../session/session.js'
import { COOKIE, valueOf, type Baseline, type Image, type Plain } from './image.js'
import { cookieOf } from './lifetime.js'
import type { StoredSession } from './store-types.js'

/** What the application is handed of a stored session. */
export function dataOf(session: SessionRecord): StoredSession {
  const data: Record<string, unknown> = {}
  for (const name of session.attributes.keys()) {
    const value = valueOf(session.attributes.get(name))
    if (value !== undefined) data[name] = name === COOKIE ? cookieOf(value, session) : value
  }
  return data
}

/** What that is compared with when it comes back. */
export function baselineOf(id: string, found: Extract<LoadResult, { state: 'found' }>, data: StoredSession): Baseline {
  const { ref, session } = found
  return { id, ref, attributes: session.attributes, plain: plainOf(session, data), maxIdleMs: session.maxIdleMs }
}

/** What was handed out, with the cookie and lifetime of now: an access does not save what else changed. */
export function withCookie({ attributes, plain }: Baseline, now: Image): Image {
  const kept = new Map(now.attributes)
  for (const name of attributes.keys()) {
    const value = attributes.get(name)
    if (value !== undefined && name !== COOKIE) kept.set(name, value)
  }
  return { ...now, attributes: kept, plain: new Map([...plain, ...now.plain]) }
}

function plainOf(session: SessionRecord, data: StoredSession): Plain {
  const plain = new Map<string, unknown>()
  for (const name of Object.keys(data)) {
    const value = data[name]
    if (typeof value !== 'object' && typeof value !== 'bigint') plain.set(name, value)
  }
  const cookie = valueOf(session.attributes.get(COOKIE))
  if (cookie !== undefined) plain.set(COOKIE, cookie)
  return plain
}
