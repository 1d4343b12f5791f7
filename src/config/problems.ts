/**
 * How mistakes in a configuration are told: one line each, `key: problem (got …, expected …)`, secrets masked.
 */
import { inspect } from 'node:util'
import type { z } from 'zod'
import { didYouMean } from '../spelling.js'

/** One mistake, before it is put into words. */
export interface Problem {
  readonly path: readonly PropertyKey[]
  readonly problem: string
  /** What would have been right. */
  readonly expected?: string | undefined
  /** Added after the parenthesis: where the value came from, how to mend it. */
  readonly hint?: string | undefined
}

const SECRET_KEYS = new Set<PropertyKey>(['secret', 'key', 'password'])
const GOT_LENGTH_MAX = 60

/** What a leaf of the schema puts into its issues, beside the message. */
export interface IssueParams {
  readonly expected?: string
  readonly unknownKey?: { readonly key: string; readonly known: readonly string[] }
}

/** The line for one mistake. */
export function describeProblem(problem: Problem, input: unknown): string {
  const got = describeValue(valueAt(input, problem.path), problem.path)
  const expected = problem.expected === undefined ? '' : `, expected ${problem.expected}`
  const hint = problem.hint === undefined ? '' : `; ${problem.hint}`
  return `${describePath(problem.path)}: ${problem.problem} (got ${got}${expected})${hint}`
}

/** The line for an issue that the schema found. */
export function describeIssue(issue: z.core.$ZodIssue, input: unknown): string {
  if (issue.code === 'custom') {
    const params: IssueParams = issue.params ?? {}
    if (params.unknownKey === undefined) {
      return describeProblem({ path: issue.path, problem: issue.message, expected: params.expected }, input)
    }
    const { key, known } = params.unknownKey
    const path = describePath([...issue.path, key])
    return `${path}: unknown option (expected one of ${known.join(', ')}${didYouMean(key, known)})`
  }
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) return describeUnknownType(issue, input)
  if (issue.code === 'invalid_type') {
    const problem = valueAt(input, issue.path) === undefined ? 'missing' : 'wrong type'
    return describeProblem({ path: issue.path, problem, expected: withArticle(issue.expected) }, input)
  }
  return describeProblem({ path: issue.path, problem: issue.message }, input)
}

/** What was found at a path, short, and never a secret. */
export function describeValue(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'function') return 'a function'
  if (path.some((key) => SECRET_KEYS.has(key))) return describeSecret(value)
  if (typeof value === 'string') return JSON.stringify(shorten(value.replace(/[^\s/@]*@/, '***@')))
  const text = inspect(masked(value), { depth: 1, breakLength: Infinity, compact: true })
  return shorten(text.replace(/\/\/[^\s/@]*@/g, '//***@'))
}

/** `peers[1]`, `session.cookie.name`. */
export function describePath(path: readonly PropertyKey[]): string {
  let text = ''
  for (const key of path) text += typeof key === 'number' ? `[${key}]` : `${text === '' ? '' : '.'}${String(key)}`
  return text === '' ? 'configuration' : text
}

function describeUnknownType(issue: z.core.$ZodIssueInvalidUnion, input: unknown): string {
  const known = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : []
  const got = valueAt(input, issue.path)
  const problem = got === undefined ? 'missing' : 'unknown type'
  const nearby = typeof got === 'string' ? didYouMean(got, known) : ''
  return describeProblem({ path: issue.path, problem, expected: `one of ${known.join(', ')}${nearby}` }, input)
}

function describeSecret(value: unknown): string {
  if (typeof value === 'string') return `a text of ${Buffer.byteLength(value)} bytes`
  return Array.isArray(value) ? `a list of ${value.length}` : `a value of type ${typeof value}`
}

/** A copy of the value in which nothing under a secret key is left. */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, SECRET_KEYS.has(key) ? '***' : masked(inner)]),
  )
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Reflect.get(value, key)
  }
  return value
}

function shorten(text: string): string {
  return text.length <= GOT_LENGTH_MAX ? text : `${text.slice(0, GOT_LENGTH_MAX)}…`
}

function withArticle(noun: string): string {
  return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`
}
