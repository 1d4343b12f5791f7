import type { LoadResult } from '../../backend/backend.js'
import type { SessionRecord } from '../../session/session.js'
import { valueOf, type Baseline, type Image } from './image.js'
import { COOKIE, cookieOf } from './lifetime.js'

export type Found = Extract<LoadResult, { state: 'found' }>

/** What is compared with what comes back of a session, once `data` was handed out of it. */
export function baselineOf(id: string, { ref, session }: Found, data: object): Baseline {
  const plain = new Map<string, unknown>()
  hand(session, data, plain)
  return { id, ref, attributes: session.attributes, plain, maxIdleMs: session.maxIdleMs }
}

/**
 * Gives `data` what an application gets of a stored session. `plain` takes those values that nobody can change in place,
 * and the cookie as it is kept.
 */
export function hand(session: SessionRecord, data: object, plain?: Map<string, unknown>): void {
  const into = data as Record<string, unknown>
  for (const name of session.attributes.keys()) {
    const value = valueOf(session.attributes.get(name))
    if (value === undefined) continue
    const isCookie = name === COOKIE
    into[name] = isCookie ? cookieOf(value, session) : value
    if (isCookie || (typeof value !== 'object' && typeof value !== 'bigint')) plain?.set(name, value)
  }
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
