/**
 * What a user may say about how ids travel. Checked here once, for configurations and for calls.
 */
import { didYouMean } from '../../spelling.js'
import type { AliasPlace } from './accounts.js'

/** One way for ids to travel. */
export type OneCarrier = 'cookie' | 'bearer' | { readonly header: string }

/** One way, or several, of which a request is answered by the one it came by. */
export type CarrierChoice = OneCarrier | readonly OneCarrier[]

/** Whether a browser can have several sessions, and where a request says which it is about. */
export type AccountsChoice =
  | boolean
  | { readonly query: string }
  | { readonly header: string }
  | { readonly path: string }

/** As many as ids of one request are looked up. */
const CARRIERS_MAX = 4
const NAMES = ['cookie', 'bearer'] as const
const PLACES = ['query', 'header', 'path'] as const
const ALIAS_PARAMETER = '_s'

/** Headers that carry something else, or that no client may set. */
const TAKEN_HEADERS = new RegExp(
  '^(?:authorization|cache-control|connection|cookie|host|origin|referer|set-cookie|te|trailer|transfer-encoding|' +
    'upgrade|user-agent|content-.*|proxy-.*|sec-.*)$',
  'i',
)

/** Whether a value says how ids travel. */
export function isCarrierChoice(value: unknown): value is CarrierChoice {
  return carrierProblem(value) === undefined
}

/** What is wrong with it; undefined: nothing. */
export function carrierProblem(value: unknown): string | undefined {
  if (!Array.isArray(value)) return oneProblem(value)
  if (value.length === 0 || value.length > CARRIERS_MAX) return `a list of ${value.length} carriers`
  const problem = value.map(oneProblem).find((found) => found !== undefined)
  if (problem !== undefined) return problem
  return new Set(value.map(nameOf)).size < value.length ? 'the same carrier twice' : undefined
}

/** The carriers of a choice, in their order. */
export function carriersOf(choice: CarrierChoice): readonly OneCarrier[] {
  return isList(choice) ? choice : [choice]
}

/** Whether a value says whether a browser can have several sessions. */
export function isAccountsChoice(value: unknown): value is AccountsChoice {
  return accountsProblem(value) === undefined
}

/** What is wrong with it; undefined: nothing. */
export function accountsProblem(value: unknown): string | undefined {
  if (typeof value === 'boolean') return undefined
  const entry = onlyEntry(value)
  if (entry === undefined) return 'neither true, false nor one place'
  const [place, name] = entry
  if (!PLACES.some((known) => known === place)) return `unknown place ${place}${didYouMean(place, PLACES)}`
  if (typeof name !== 'string') return `${place}: wrong type`
  if (place === 'header') return headerProblem(name)
  if (place === 'query') return /^[\w.-]{1,32}$/.test(name) ? undefined : 'not a name for a parameter'
  return /^(?:\/[\w.~-]{1,32}){1,4}$/.test(name) ? undefined : 'not a path of plain parts'
}

/** Where a request names its session; undefined: nowhere, a browser has one. */
export function placeOf(choice: AccountsChoice): AliasPlace | undefined {
  if (typeof choice === 'boolean') return choice ? { in: 'query', name: ALIAS_PARAMETER } : undefined
  if ('query' in choice) return { in: 'query', name: choice.query }
  return 'header' in choice ? { in: 'header', name: choice.header } : { in: 'path', name: choice.path }
}

function oneProblem(value: unknown): string | undefined {
  if (typeof value === 'string') {
    return NAMES.some((name) => name === value) ? undefined : `unknown carrier${didYouMean(value, NAMES)}`
  }
  const [key, name] = onlyEntry(value) ?? []
  if (key === undefined) return 'wrong type'
  if (key !== 'header') return `unknown carrier ${key}${didYouMean(key, ['header'])}`
  return typeof name === 'string' ? headerProblem(name) : 'header: wrong type'
}

function headerProblem(name: string): string | undefined {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(name)) return 'not a name for a header'
  return TAKEN_HEADERS.test(name) ? `${name} has a meaning of its own` : undefined
}

function onlyEntry(value: unknown): readonly [string, unknown] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value)
  return entries.length === 1 ? entries[0] : undefined
}

function nameOf(value: OneCarrier): string {
  return typeof value === 'string' ? value : `header ${value.header.toLowerCase()}`
}

function isList(choice: CarrierChoice): choice is readonly OneCarrier[] {
  return Array.isArray(choice)
}
