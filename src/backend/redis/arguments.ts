/** What requests and exports say, as arguments of scripts. */
import type { SessionDelta, SessionRef } from '../../session/session.js'
import type { PortableRegister, PortableSession } from '../backend.js'
import type { RedisArgument } from './dial.js'
import { birthText, MAX_IDLE, PRINCIPAL } from './keys.js'
import { toStored } from './stored-value.js'

/** Registers of a commit: name, kind, whether there is a value, value. */
export function deltaArguments({ writes, maxIdleMs, principal }: SessionDelta, json: boolean): readonly RedisArgument[] {
  const list: RedisArgument[] = []
  for (const { name, kind, value } of writes) {
    if (value === null) list.push(name, kind, 0, '')
    else list.push(name, kind, 1, toStored(value, json))
  }
  if (maxIdleMs !== undefined) list.push(MAX_IDLE, 0, 1, timeArgument(maxIdleMs))
  if (principal !== undefined) list.push(PRINCIPAL, 0, ...valueArguments(principal, json))
  return list
}

/** An exported session without its registers, as the import script takes it. */
export function portableArguments(session: PortableSession, hasLooked: boolean): readonly RedisArgument[] {
  const { birth, createdAt, maxLifeMs, touchedAt, highest, ids, version } = session
  const list: RedisArgument[] = [birthText(birth), createdAt, timeArgument(maxLifeMs), Math.floor(touchedAt), highest]
  list.push(hasLooked ? 1 : 0)
  list.push(ids.length)
  for (const { hash, dot } of ids) list.push(hash, dot.actor, dot.counter)
  list.push(version.length)
  for (const { actor, counter } of version) list.push(actor, counter)
  return list
}

/** A length of time in whole milliseconds. */
export function timeArgument(ms: number): RedisArgument {
  return ms === Infinity ? 'inf' : Math.round(ms)
}

/** A dot as the scripts note who wrote: `actor counter`. */
export function dotArgument({ actor, counter }: SessionRef): string {
  return `${actor} ${counter}`
}

/** Whether there is a value, and the value. */
export function valueArguments(value: PortableRegister['value'], json: boolean): readonly RedisArgument[] {
  if (value === null) return [0, '']
  if (typeof value === 'string') return [1, value]
  if (typeof value === 'number') return [1, timeArgument(value)]
  return [1, toStored(value, json)]
}
