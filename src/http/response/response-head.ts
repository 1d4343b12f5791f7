import type { ServerResponse } from 'node:http'
import type { ResponseHeader } from '../carriers/carrier.js'

/** Headers that describe a body, and so do not fit the error page that is sent instead of it. */
const OF_THE_BODY = [
  'accept-ranges',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'location',
  'trailer',
  'transfer-encoding',
] as const

/** Adds headers; a response that sets a cookie is for one browser, and no cache may keep it. */
export function addHeaders(res: ServerResponse, headers: readonly ResponseHeader[]): void {
  for (const { name, value } of headers) {
    if (name === 'Set-Cookie') res.appendHeader(name, value)
    else res.setHeader(name, value)
  }
  if (headers.length > 0 && !res.hasHeader('cache-control')) res.setHeader('Cache-Control', 'no-store')
}

/**
 * Sets the headers that writeHead was given one by one, as node does where there are others; returns what is left of
 * the arguments. Otherwise they would replace headers that are added later.
 */
export function foldHead(res: ServerResponse, args: readonly unknown[]): unknown[] {
  const [status, second, third] = args
  const headers = typeof second === 'string' ? third : (third ?? second)
  for (const [name, value] of pairsOf(headers)) res.setHeader(name, value)
  return typeof second === 'string' ? [status, second] : [status]
}

/** Makes the response fit for another answer. */
export function clearHead(res: ServerResponse): void {
  if (res.headersSent) return
  // Only what is there: node remembers what was removed, and then does not fill it in itself.
  for (const name of OF_THE_BODY) if (res.hasHeader(name)) res.removeHeader(name)
  res.statusCode = 500
  res.statusMessage = ''
}

type HeaderValue = string | number | readonly string[]

/** The forms that writeHead takes: an object, a flat list, a list of pairs. Of a name that repeats, all values. */
function pairsOf(headers: unknown): ReadonlyMap<string, HeaderValue> {
  const pairs = new Map<string, HeaderValue>()
  const add = (name: unknown, value: unknown): void => {
    const key = String(name)
    const before = pairs.get(key.toLowerCase())
    pairs.set(key.toLowerCase(), before === undefined ? asValue(value) : [before, asValue(value)].flat().map(String))
  }
  if (Array.isArray(headers)) {
    const flat: unknown[] = headers.flat()
    if (headers.some(Array.isArray)) for (const pair of headers as unknown[][]) add(pair[0], pair[1])
    else for (let i = 0; i + 1 < flat.length; i += 2) add(flat[i], flat[i + 1])
  } else if (typeof headers === 'object' && headers !== null) {
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) add(name, value)
  }
  return pairs
}

function asValue(value: unknown): HeaderValue {
  if (Array.isArray(value)) return value.map(String)
  return typeof value === 'number' ? value : String(value)
}
