/**
 * Takes single values out of a decoded array and checks each. A wrong one breaks the rule `field`; the
 * message names the field, never its content.
 */
import { ProtocolError } from '../errors.js'
import { keptHash } from '../session/id.js'
import { keptBytes } from '../session/kept.js'
import type { IdHash } from '../session/session.js'
import { MAX_TIME_MS, MAX_VALUE_BYTES } from './limits.js'

/** A decoded array: of what, the readers below find out. */
export type Fields = readonly unknown[]

const HASH = /^[A-Za-z0-9_-]{22}$/

export function refuseField(name: string): never {
  throw new ProtocolError('field', `field ${name} is missing or not allowed`)
}

export function list(fields: Fields, at: number, name: string): Fields {
  const value = fields[at]
  return Array.isArray(value) ? value : refuseField(name)
}

/** The items of a flat list, `stride` fields each. */
export function rows<T>(
  items: Fields,
  stride: number,
  name: string,
  read: (items: Fields, at: number) => T,
): T[] {
  if (items.length % stride !== 0) refuseField(name)
  const result: T[] = []
  for (let at = 0; at < items.length; at += stride) result.push(read(items, at))
  return result
}

/** A whole number from 0. */
export function count(fields: Fields, at: number, name: string): number {
  const value = fields[at]
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : refuseField(name)
}

/** A whole number from 1. */
export function counter(fields: Fields, at: number, name: string): number {
  const value = count(fields, at, name)
  return value > 0 ? value : refuseField(name)
}

/** `base` plus a difference, from 0 and exact. */
export function sum(base: number, fields: Fields, at: number, name: string): number {
  const value = fields[at]
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) refuseField(name)
  const total = base + value
  return Number.isSafeInteger(total) && total >= 0 ? total : refuseField(name)
}

/** Milliseconds since 1970, as a difference to `base`. */
export function time(base: number, fields: Fields, at: number, name: string): number {
  const value = sum(base, fields, at, name)
  return value <= MAX_TIME_MS ? value : refuseField(name)
}

/** Milliseconds from 0. */
export function duration(fields: Fields, at: number, name: string): number {
  const value = fields[at]
  return typeof value === 'number' && value >= 0 ? value : refuseField(name)
}

/** Milliseconds from 0; nil on the wire is Infinity, never, which would take nine bytes as a number. */
export function lifetime(fields: Fields, at: number, name: string): number {
  return fields[at] === null ? Infinity : duration(fields, at, name)
}

export function flag(fields: Fields, at: number, name: string): boolean {
  const value = fields[at]
  return typeof value === 'boolean' ? value : refuseField(name)
}

/** Text of 1 to `max` characters. */
export function text(fields: Fields, at: number, max: number, name: string): string {
  const value = fields[at]
  return typeof value === 'string' && value.length > 0 && value.length <= max ? value : refuseField(name)
}

/** 22 base64url characters, as a text of its own: what is decoded may be a slice of all texts of the frame. */
export function hash(fields: Fields, at: number, name: string): IdHash {
  const value = fields[at]
  return typeof value === 'string' && HASH.test(value) ? keptHash(value as IdHash) : refuseField(name)
}

/** One of a closed list of words, by its place. */
export function word<T>(words: readonly T[], fields: Fields, at: number, name: string): T {
  const value = words[count(fields, at, name)]
  return value === undefined ? refuseField(name) : value
}

/** Bytes of their own: a small value must not keep a frame of 1 MiB in memory. */
export function ownBytes(value: Uint8Array, name: string): Uint8Array {
  return value.length <= MAX_VALUE_BYTES ? keptBytes(value) : refuseField(name)
}
