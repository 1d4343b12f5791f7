import { IncomingMessage } from 'node:http'
import type { RequestSession } from './request-session.js'

/** The one property that a request gets of its own; a WeakMap would cost the garbage collector more. */
const SESSION_OF_REQUEST: unique symbol = Symbol('session-mesh')

declare module 'node:http' {
  interface IncomingMessage {
    [SESSION_OF_REQUEST]?: RequestSession
  }
}

/**
 * The request that was given a session last. Most of them are answered before the next one comes, and until then they
 * are asked for their session several times: by `req.session`, and by each call that sends something. Express leaves
 * every request with a hidden class of its own, so the engine caches no property of it.
 */
let latest: IncomingMessage | undefined
let sessionOfLatest: RequestSession | undefined

/** What a request got from the middleware, if it passed one. */
export function requestSessionOf(req: IncomingMessage): RequestSession | undefined {
  return req === latest ? sessionOfLatest : req[SESSION_OF_REQUEST]
}

/** Gives a request its `req.session`. */
export function attach(req: IncomingMessage, session: RequestSession): void {
  req[SESSION_OF_REQUEST] = session
  latest = req
  sessionOfLatest = session
  if (!(req instanceof IncomingMessage) || Object.hasOwn(req, 'session')) Object.defineProperty(req, 'session', SESSION)
}

/**
 * Makes `req.session` a property of every request, once per process and on the prototype, for the reason that
 * installGates() gives. A request that passed no middleware of ours has none: it reads as undefined, and setting it,
 * as other session middlewares do, makes it a plain property.
 */
export function installRequestProperty(): void {
  if (Object.hasOwn(IncomingMessage.prototype, 'session')) return
  Object.defineProperty(IncomingMessage.prototype, 'session', { ...SESSION, enumerable: false })
}

const SESSION: PropertyDescriptor = {
  configurable: true,
  enumerable: true,
  get(this: IncomingMessage) {
    return requestSessionOf(this)?.session
  },
  set(this: IncomingMessage, value: unknown) {
    const session = requestSessionOf(this)
    if (session !== undefined) session.assign(value)
    else Object.defineProperty(this, 'session', { configurable: true, enumerable: true, writable: true, value })
  },
}
