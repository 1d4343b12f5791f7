/** Pieces of replies, checked once: what comes over the network is input, whoever claims to be the server. */
import { BackendError } from '../../errors.js'
import type { SessionRef } from '../../session/session.js'
import { parseBirth } from './keys.js'

export function listOf(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply
  throw unexpected(reply)
}

export function textOf(reply: unknown): string {
  if (typeof reply === 'string') return reply
  if (Buffer.isBuffer(reply)) return reply.toString()
  throw unexpected(reply)
}

export function numberOf(reply: unknown): number {
  const number = typeof reply === 'number' ? reply : toNumber(textOf(reply))
  if (Number.isNaN(number)) throw unexpected(reply)
  return number
}

function toNumber(text: string): number {
  return text === 'inf' ? Infinity : text === '' ? NaN : Number(text)
}

export function birthOf(reply: unknown): SessionRef {
  const birth = parseBirth(textOf(reply))
  if (birth === undefined) throw unexpected(reply)
  return birth
}

/** A Map, so that no name can mean something to JavaScript. */
export function fieldsOf(reply: unknown): ReadonlyMap<string, Buffer> {
  const flat = listOf(reply)
  const fields = new Map<string, Buffer>()
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const value = flat[i + 1]
    if (!Buffer.isBuffer(value)) throw unexpected(value)
    fields.set(textOf(flat[i]), value)
  }
  return fields
}

export function unexpected(reply: unknown): BackendError {
  return new BackendError(`Redis answered what none of our scripts says (a ${reply === null ? 'null' : typeof reply})`)
}
