/**
 * What options of a configuration are made of: one leaf for each kind of value, and sections of them. Each leaf says
 * in its own words what it expects.
 */
import { z } from 'zod'
import { formatAddress, isWildcard, parseAddress, type Address } from '../address.js'
import { formatDuration, parseDuration } from '../duration.js'
import type { IssueParams } from './problems.js'

/** What `parse` answers when a value is refused. */
export class Refused {
  readonly problem: string
  readonly expected: string | undefined
  constructor(problem: string, expected?: string) {
    this.problem = problem
    this.expected = expected
  }
}

/**
 * One option. A refused value is reported and read as undefined, so that the checks between options still run and
 * every mistake is told at once; nobody sees the undefined, because a configuration with a problem is never returned.
 */
export function option<T>(expected: string, parse: (value: unknown) => T | Refused): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    const parsed = value === undefined ? new Refused('missing') : parse(value)
    if (!(parsed instanceof Refused)) return parsed
    report(context.issues, value, [], parsed.problem, { expected: parsed.expected ?? expected })
    return undefined as never
  })
}

/** One section: unknown keys are mistakes, with the nearest known one named. */
export function section<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$loose> {
  const known = Object.keys(shape)
  const unknownKeys = z.check<object>(({ value, issues }) => {
    if (typeof value !== 'object' || value === null) return
    for (const key of Object.keys(value).filter((candidate) => !known.includes(candidate))) {
      report(issues, value, [], 'unknown option', { unknownKey: { key, known } })
    }
  })
  // Whatever else is wrong in this section.
  // oxlint-disable-next-line no-underscore-dangle -- zod's own name for the internals that checks are made of
  unknownKeys._zod.def.when = () => true
  return z.looseObject(shape).check(unknownKeys)
}

export function report(
  issues: z.core.$ZodRawIssue[],
  input: unknown,
  path: PropertyKey[],
  message: string,
  params: IssueParams,
): void {
  issues.push({ code: 'custom', message, input, path, params: { ...params }, continue: true })
}

export const isText = (value: unknown): value is string => typeof value === 'string'

export function oneOf<const T extends readonly (string | boolean)[]>(...values: T): z.ZodType<T[number]> {
  return option(`one of ${values.map((value) => JSON.stringify(value)).join(', ')}`, (value) => {
    return values.find((candidate) => candidate === value) ?? new Refused('unknown value')
  })
}

export function flag(): z.ZodType<boolean> {
  return option('true or false', (value) => (typeof value === 'boolean' ? value : new Refused('wrong type')))
}

export function wholeNumber(min: number, max: number): z.ZodType<number> {
  return option(`a whole number from ${min} to ${max}`, (value) => {
    if (typeof value !== 'number') return new Refused('wrong type')
    return Number.isInteger(value) && value >= min && value <= max ? value : new Refused('out of range')
  })
}

export function duration(minMs: number, maxMs: number, infinite: 'or-infinity' | 'finite'): z.ZodType<number> {
  const range = `${formatDuration(minMs)} to ${formatDuration(maxMs)}${infinite === 'finite' ? '' : ', or Infinity'}`
  return option(`milliseconds or a text such as '30m', from ${range}`, (value) => {
    const ms = parseDuration(value)
    if (ms === undefined) return new Refused('not a duration')
    if (ms === Infinity && infinite === 'or-infinity') return ms
    return ms >= minMs && ms <= maxMs ? Math.round(ms) : new Refused('out of range')
  })
}

export function name(): z.ZodType<string> {
  return option('1 to 128 letters, digits, dots, dashes, colons or underscores', (value) => {
    if (!isText(value)) return new Refused('wrong type')
    return /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(value) ? value : new Refused('not a name')
  })
}

export function address(expected: string, allow: (address: Address) => boolean): z.ZodType<string> {
  return option(expected, (value) => {
    if (!isText(value)) return new Refused('wrong type')
    if (/^[a-z]+:\/\//i.test(value)) return new Refused('a URL instead of host:port')
    const parsed = parseAddress(value)
    if (parsed === undefined) return new Refused('not an address')
    return allow(parsed) ? formatAddress(parsed) : new Refused('not allowed here')
  })
}

export const listenAddress = (): z.ZodType<string> => {
  return address("host:port to listen on, such as '127.0.0.1:7946' (port 0: any free one)", () => true)
}

export const dialAddress = (): z.ZodType<string> => {
  return address("host:port that other nodes can dial, such as '10.0.0.5:7946'", ({ host, port }) => {
    return port > 0 && !isWildcard(host)
  })
}

export function nonEmptyText(expected: string): z.ZodType<string> {
  return option(expected, (value) => {
    if (!isText(value)) return new Refused('wrong type')
    return value === '' ? new Refused('empty') : value
  })
}
