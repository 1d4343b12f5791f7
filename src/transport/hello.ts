import { ProtocolError } from '../errors.js'
import { parseAddress } from '../address.js'
import { invariant } from '../invariant.js'
import type { NodeId } from '../session/session.js'
import { pack } from './codec.js'
import { count, type Fields, list, refuseField, text, time } from './fields.js'
import {
  MAX_ADDRESS_CHARS, MAX_HELLO_BYTES, MAX_NODE_CHARS, MAX_SETTING_CHARS, MAX_SETTINGS,
} from './limits.js'
import type { HelloInfo } from './transport.js'

/** Versions of the protocol that this build speaks. */
export const PROTOCOL: { readonly min: number; readonly max: number } = { min: 1, max: 1 }

export const NONCE_BYTES = 16

/** What one side says of itself before it has proved anything. */
export interface Hello extends HelloInfo {
  /** Where it can be dialled, `host:port`; empty if it cannot. */
  readonly address: string
  /** Fresh random bytes: they make every handshake, hence every key, a new one. */
  readonly nonce: Uint8Array
  /** Its wall clock when it sent this, milliseconds since 1970. */
  readonly wallMs: number
}

/** HELLO on the wire: the versions come first, so that any later version can be refused by name. */
export function encodeHello(hello: Hello): Uint8Array {
  const { cluster, node, actor, startedAt, address, nonce, wallMs } = hello
  const settings = Object.entries(hello.settings).flat()
  const bytes = pack([
    'hello', PROTOCOL.min, PROTOCOL.max, cluster, node, actor, startedAt, address, nonce, wallMs, settings,
  ])
  invariant(bytes.length <= MAX_HELLO_BYTES, 'HELLO is short enough for every peer')
  return bytes
}

/** Whether the peer speaks a version that this build speaks. Looks at nothing else, and trusts nothing. */
export function speaksOurVersion(fields: Fields): boolean {
  const [, min, max] = fields
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max)) return false
  return Number(min) >= 1 && Number(min) <= PROTOCOL.max && Number(max) >= PROTOCOL.min
}

/** The cluster that a HELLO names; '' if it names none. */
export function clusterOf(fields: Fields): string {
  return typeof fields[3] === 'string' ? fields[3] : ''
}

/** A peer's HELLO, every field checked. Throws a ProtocolError (1008) that names the wrong one. */
export function readHello(fields: Fields): Hello {
  try {
    return {
      cluster: readName(fields, 3, 'cluster'),
      node: readName(fields, 4, 'node') as NodeId,
      actor: count(fields, 5, 'actor'),
      startedAt: time(0, fields, 6, 'startedAt'),
      address: readAddress(fields, 7),
      nonce: readNonce(fields, 8),
      wallMs: time(0, fields, 9, 'wallMs'),
      settings: readSettings(list(fields, 10, 'settings')),
    }
  } catch (error) {
    if (error instanceof ProtocolError) throw new ProtocolError(error.rule, `hello: ${error.message}`, 1008)
    throw error
  }
}

/** Neither control characters nor invisible ones: names are shown to people. */
const PRINTABLE = /^[^\p{C}]+$/u

/** Whether a text can be a node id or a cluster name. */
export function isNodeName(value: string): boolean {
  return value.length > 0 && value.length <= MAX_NODE_CHARS && PRINTABLE.test(value)
}

function readName(fields: Fields, at: number, field: string): string {
  const value = text(fields, at, MAX_NODE_CHARS, field)
  return isNodeName(value) ? value : refuseField(field)
}

function readAddress(fields: Fields, at: number): string {
  if (fields[at] === '') return ''
  const value = text(fields, at, MAX_ADDRESS_CHARS, 'address')
  return PRINTABLE.test(value) && parseAddress(value) !== undefined ? value : refuseField('address')
}

function readNonce(fields: Fields, at: number): Uint8Array {
  const value = fields[at]
  const isNonce = value instanceof Uint8Array && value.length === NONCE_BYTES
  return isNonce ? Buffer.from(value) : refuseField('nonce')
}

function readSettings(items: Fields): Readonly<Record<string, string>> {
  if (items.length % 2 !== 0 || items.length > 2 * MAX_SETTINGS) refuseField('settings')
  const entries: [string, string][] = []
  for (let at = 0; at < items.length; at += 2) {
    entries.push([readSetting(items, at), readSetting(items, at + 1)])
  }
  return Object.fromEntries(entries)
}

function readSetting(items: Fields, at: number): string {
  const value = items[at]
  if (typeof value !== 'string' || value.length > MAX_SETTING_CHARS) refuseField('settings')
  return value === '' || PRINTABLE.test(value) ? value : refuseField('settings')
}

type Settings = HelloInfo['settings']

/** The name of the first setting in which two nodes differ. */
export function differingSetting(ours: Settings, theirs: Settings): string | undefined {
  const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort()
  const has = (settings: Settings, key: string): boolean => Object.hasOwn(settings, key)
  return names.find((key) => !has(ours, key) || !has(theirs, key) || ours[key] !== theirs[key])
}
