import { ServerResponse, type IncomingMessage } from 'node:http'
import type { SessionBackend } from '../backend/backend.js'
import type { Session } from './handle/session-types.js'
import { Mount, type HttpWorld } from './mount.js'
import type { ResolvedSessionOptions } from './options.js'
import { IncomingHead } from './request/request-head.js'
import { attach, installRequestProperty, requestSessionOf } from './request/request-property.js'
import { RequestSession } from './request/request-session.js'
import { CommitGate, installGates } from './response/commit-gate.js'
import { answerError, retryAfter } from './response/http-error.js'

/** Goes on with the request. A function that takes no argument cannot be told of an error: it is answered here. */
export type Next = (error?: unknown) => void

/** For Express 4 and 5, connect, and node:http: `middleware(req, res, (error) => …)`. */
export interface SessionMiddleware {
  (req: IncomingMessage, res: ServerResponse, next: Next): void
  /** What was counted so far, by metric name. */
  readonly counters: Readonly<Record<string, number>>
}

/** Gives every request its session as `req.session`, and commits it before the headers of the response leave. */
export function sessions(backend: SessionBackend, options: ResolvedSessionOptions, world: HttpWorld): SessionMiddleware {
  installGates()
  installRequestProperty()
  const mount = new Mount(backend, options, world)
  const middleware = (req: IncomingMessage, res: ServerResponse, next: Next): void => handle(mount, req, res, next)
  const mounted = Object.assign(middleware, { counters: mount.counters })
  mounts.set(mounted, mount)
  return mounted
}

const mounts = new WeakMap<SessionMiddleware, Mount>()

/** What a middleware stands on, for containers whose requests are not node's. */
export function mountOf(middleware: SessionMiddleware): Mount {
  const mount = mounts.get(middleware)
  if (mount === undefined) throw new TypeError('no middleware that sessions() made')
  return mount
}

/** Where adapters get their middleware from: a Cluster. */
export interface SessionSource<Options> {
  sessions(options?: Options): SessionMiddleware
}

/** The session of a request, loaded now where the middleware has not (`load: 'on-demand'`, `when`). */
export async function loadSession(req: IncomingMessage): Promise<Session> {
  const request = requestSessionOf(req)
  if (request === undefined) {
    throw new Error('no session on this request: app.use(cluster.sessions()) must come before what asks for it')
  }
  await request.load()
  return req.session
}

function handle(mount: Mount, req: IncomingMessage, res: ServerResponse, next: Next): void {
  if (requestSessionOf(req) !== undefined) {
    mount.warnOnce('session-middleware-mounted-twice', 'the second one does nothing')
    next()
    return
  }
  const request = new RequestSession(mount, new IncomingHead(req))
  attach(req, request)
  if (isResponse(res)) guard(mount, request, res, next)

  if (mount.options.load === 'on-demand' || mount.options.when?.(req) === false) {
    next()
    return
  }
  loadThenGoOn(request, res, next)
}

/** Engine.IO passes a stand-in for the response to an upgrade, which carries neither cookies nor commits. */
function isResponse(res: object): boolean {
  return res instanceof ServerResponse || 'appendHeader' in res
}

function guard(mount: Mount, request: RequestSession, res: ServerResponse, next: Next): void {
  const gate = CommitGate.before(res, request, (error) => refuse(res, next, error))
  request.gate = gate
  if (!gate.isLate) return
  const detail = 'mounted behind something that had sent the headers already: new sessions cannot get a cookie'
  mount.warnOnce('session-middleware-mounted-late', detail)
}

function loadThenGoOn(request: RequestSession, res: ServerResponse, next: Next): void {
  let loading: Promise<void> | undefined
  try {
    loading = request.load()
  } catch (error) {
    refuse(res, next, error)
    return
  }
  if (loading === undefined) next()
  else
    loading.then(
      () => next(),
      (error: unknown) => refuse(res, next, error),
    )
}

/** Says when to try again where that helps, and hands the error on; or answers itself where nobody can take it. */
function refuse(res: ServerResponse, next: Next, error: unknown): void {
  if (next.length === 0) {
    answerError(res, error)
    return
  }
  const after = retryAfter(error)
  if (after !== undefined && !res.headersSent) res.setHeader('Retry-After', after)
  next(error)
}
