import type { LoadResult } from '../../backend/backend.js'
import type { SessionRecord } from '../../session/session.js'
import { valueOf, type Baseline } from './image.js'
import { COOKIE, cookieOf } from './lifetime.js'

export type Found = Extract<LoadResult, { state: 'found' }>

/** What is compared with what comes back of a session, once `data` was handed out of it. */
export function baselineOf(id: string, { ref, session }: Found, data: object): Baseline {
  const { attributes, maxIdleMs } = session
  const names: string[] = []
  const plain: unknown[] = []
  hand(session, data, (name, value) => {
    names.push(name)
    plain.push(name === COOKIE || (typeof value !== 'object' && typeof value !== 'bigint') ? value : undefined)
  })
  return { id, ref, attributes, saved: [], names, plain, maxIdleMs }
}

/** Gives `data` what an application gets of a stored session. `note` is told each value, of the cookie what is kept. */
export function hand(session: SessionRecord, data: object, note?: (name: string, value: unknown) => void): void {
  const into = data as Record<string, unknown>
  for (const name of session.attributes.keys()) {
    const value = valueOf(session.attributes.get(name))
    if (value === undefined) continue
    into[name] = name === COOKIE ? cookieOf(value, session) : value
    note?.(name, value)
  }
}
