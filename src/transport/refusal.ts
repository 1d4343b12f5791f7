import { pack } from './codec.js'
import type { Fields } from './fields.js'
import { MAX_DETAIL_CHARS } from './limits.js'
import type { Refusal, RefusalRule } from './transport.js'

/**
 * WebSocket close codes: 4401 not authenticated, 4409 nodes that do not fit together, 1008 policy, 1002
 * protocol.
 */
const CLOSE_CODES: Readonly<Record<RefusalRule, number>> = {
  'wrong-cluster': 4409,
  'bad-secret': 4401,
  self: 1008,
  'duplicate-link': 1008,
  'clock-skew': 4409,
  version: 4409,
  'name-in-use': 1008,
  settings: 4409,
  malformed: 1002,
  timeout: 1008,
}

/** With which code a refused connection is closed. */
export function closeCodeOf(rule: RefusalRule): number {
  return CLOSE_CODES[rule]
}

/** REFUSE on the wire. */
export function encodeRefusal({ rule, detail }: Refusal): Uint8Array {
  return pack(['refuse', rule, detail.slice(0, MAX_DETAIL_CHARS)])
}

const PRINTABLE = /^[^\p{C}]*$/u

/**
 * What a peer gave as its reason. It may come from a stranger: unknown rules and odd texts become
 * `malformed`.
 */
export function readRefusal(fields: Fields): Refusal {
  const [, rule, detail] = fields
  if (!isRule(rule)) return { rule: 'malformed', detail: 'refused without a known rule' }
  const shown = typeof detail === 'string' && detail.length <= MAX_DETAIL_CHARS && PRINTABLE.test(detail)
  return { rule, detail: shown ? detail : '' }
}

function isRule(value: unknown): value is RefusalRule {
  return typeof value === 'string' && Object.hasOwn(CLOSE_CODES, value)
}
