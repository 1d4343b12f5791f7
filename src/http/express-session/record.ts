import type { LoadResult } from '../../backend/backend.js'
import type { SessionRecord } from '../../session/session.js'
import { COOKIE, valueOf, type Baseline, type Image } from './image.js'
import { cookieOf } from './lifetime.js'
import type { StoredSession } from './store-types.js'

/** What the application is handed of a stored session. */
export function dataOf(session: SessionRecord): StoredSession {
  const data: Record<string, unknown> = {}
  for (const name of session.attributes.keys()) {
    const value = valueOf(session.attributes.get(name))
    if (value !== undefined) data[name] = value
  }
  if (COOKIE in data) data[COOKIE] = cookieOf(data[COOKIE], session)
  return data
}

/** What that is compared with when it comes back. */
export function baselineOf(id: string, { ref, session }: Extract<LoadResult, { state: 'found' }>): Baseline {
  return { id, ref, attributes: session.attributes, maxIdleMs: session.maxIdleMs }
}

/** What was handed out, with the cookie and lifetime of now: an access does not save what else changed. */
export function withCookie({ attributes }: Baseline, now: Image): Image {
  const kept = new Map(now.attributes)
  for (const name of attributes.keys()) {
    const value = attributes.get(name)
    if (value !== undefined && name !== COOKIE) kept.set(name, value)
  }
  return { ...now, attributes: kept }
}
