/**
 * Sees what its process writes down, and learns which words must not be in it: every secret that a key is derived
 * from, and every long token that a browser is given in a cookie. Needs no help of what it watches.
 */
import crypto from 'node:crypto'
import { ServerResponse } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { inspect } from 'node:util'
import type { Paper } from './paper.js'

/** What an answer says to the people who run a node; answers of an application are its own affair, unless they fail. */
const OPERATION = /^\/(?:metrics|status|healthz|readyz)\b/
const TOKEN = /[A-Za-z0-9_-]{24,}/g
/** A cookie that says what a browser has seen: no secret. */
const STAMP = /^[^=]*\.v\d+=/

export function watchThisProcess(paper: Paper): void {
  watchOutput(paper)
  watchErrors(paper)
  watchSecrets(paper)
  watchResponses(paper)
}

function watchOutput(paper: Paper): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
    stream.write = (...args: unknown[]) => {
      paper.text('output', textOf(args[0]))
      return write(...args)
    }
  }
}

/** Every error that is made, whoever catches it: those of the package extend what is replaced here. */
function watchErrors(paper: Paper): void {
  for (const name of ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'AggregateError'] as const) {
    const scope = globalThis as Record<string, unknown>
    const original = scope[name] as ErrorConstructor
    const seen = (error: Error, frame: (...args: never[]) => unknown): Error => {
      // Without the frame of the watcher, as the stack would be without it.
      Error.captureStackTrace(error, frame)
      queueMicrotask(() => paper.text('error', describe(error)))
      return error
    }
    const handler: ProxyHandler<ErrorConstructor> = {
      apply: function called(target, self, args) {
        return seen(Reflect.apply(target, self, args) as Error, called)
      },
      construct: function made(target, args, maker) {
        return seen(Reflect.construct(target, args, maker) as Error, made)
      },
    }
    scope[name] = new Proxy(original, handler)
  }
}

function describe(error: Error): string {
  const fields = [['cause', error.cause] as const, ...Object.entries(error)].filter(([, value]) => value !== undefined)
  const rest = fields.length === 0 ? '' : inspect(Object.fromEntries(fields), { depth: 4 })
  return `${error.name}: ${error.message} ${rest}\n${error.stack ?? ''}`
}

function watchSecrets(paper: Paper): void {
  const derive = crypto.hkdfSync
  crypto.hkdfSync = (digest, key, salt, info, length) => {
    if (salt === 'session-mesh' && typeof key === 'string') paper.word('secret', key)
    return derive(digest, key, salt, info, length)
  }
  syncBuiltinESMExports()
}

function watchResponses(paper: Paper): void {
  const prototype = ServerResponse.prototype
  type Call = (this: ServerResponse, ...args: unknown[]) => unknown
  // oxlint-disable-next-line typescript/unbound-method -- applied to a response below
  const { write, end } = prototype as unknown as { readonly write: Call; readonly end: Call }
  const note = (res: ServerResponse, chunk: unknown): void => {
    if (typeof chunk === 'function') return
    const path = res.req?.url ?? ''
    if (OPERATION.test(path)) paper.text('metrics', textOf(chunk))
    else if (res.statusCode >= 400) paper.text('answer', textOf(chunk))
  }
  const watched: { readonly write: Call; readonly end: Call } = {
    write(...args) {
      note(this, args[0])
      return Reflect.apply(write, this, args)
    },
    end(...args) {
      noteCookies(paper, this)
      note(this, args[0])
      return Reflect.apply(end, this, args)
    },
  }
  Object.assign(prototype, watched)
}

function noteCookies(paper: Paper, res: ServerResponse): void {
  const lines = res.getHeader('set-cookie')
  for (const line of Array.isArray(lines) ? lines : [String(lines ?? '')]) {
    if (STAMP.test(line)) continue
    const [pair = ''] = line.split(';')
    const value = decoded(pair.slice(pair.indexOf('=') + 1))
    for (const [token] of value.matchAll(TOKEN)) paper.word('id', token)
  }
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

function textOf(chunk: unknown): string {
  if (typeof chunk === 'string') return chunk
  return chunk instanceof Uint8Array ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString() : ''
}
