/**
 * Sessions for everything that answers a Request with a Response: `withSession(cluster, handler)`, and
 * `app.use(honoSessions(cluster))` for Hono. `sessionOf(request)` is the session. Needs nothing of any framework.
 */
import type { Session } from '../handle/session-types.js'
import { mountOf, type SessionSource } from '../middleware.js'
import type { Mount } from '../mount.js'
import type { RequestHead } from '../request/request-head.js'
import { RequestSession } from '../request/request-session.js'
import { retryAfter, statusOf, textOf } from '../response/http-error.js'

export type FetchHandler<Rest extends unknown[]> = (request: Request, ...rest: Rest) => Response | Promise<Response>

/** What is needed of a Hono context. */
export interface HonoContext {
  readonly req: { readonly raw: Request }
  get res(): Response
  set res(response: Response | undefined)
}

const held = new WeakMap<Request, RequestSession>()

/**
 * Gives every request of `handler` its session, committed before its Response is returned. `options` are those of
 * `cluster.sessions(options)`, without `when`: wrap the handlers that need a session. A node that cannot tell is
 * answered 503; every other failure is thrown.
 */
export function withSession<Options, Rest extends unknown[]>(
  cluster: SessionSource<Options>,
  handler: FetchHandler<Rest>,
  options?: Options,
): (request: Request, ...rest: Rest) => Promise<Response> {
  const mount = mountOf(cluster.sessions(options))
  return async (request, ...rest) => {
    try {
      return await respond(mount, request, () => handler(request, ...rest))
    } catch (error) {
      if (retryAfter(error) === undefined) throw error
      return responseTo(error)
    }
  }
}

/** Middleware for Hono. A commit that fails is thrown, to `app.onError`. */
export function honoSessions<Options>(
  cluster: SessionSource<Options>,
  options?: Options,
): (context: HonoContext, next: () => Promise<void>) => Promise<void> {
  const mount = mountOf(cluster.sessions(options))
  return async (context, next) => {
    const response = await respond(mount, context.req.raw, async () => {
      await next()
      return context.res
    }).catch((error: unknown) => {
      // Hono's own error handler answers with this, where there is one.
      if (error instanceof Error && statusOf(error) === 503) Object.assign(error, { getResponse: () => responseTo(error) })
      throw error
    })
    if (response === context.res) return
    // What is set over another response gets the headers of that one; so the other one goes first.
    context.res = undefined
    context.res = response
  }
}

/** The session of a request, inside a handler. Ask again after `regenerate()`: it is another one then. */
export function sessionOf(request: Request): Session {
  const { session } = requestSession(request)
  if (session === null) throw new TypeError('the session of this request was ended')
  return session
}

/** The same, loaded now where that waits until it is asked for (`load: 'on-demand'`). */
export async function loadSessionOf(request: Request): Promise<Session> {
  await requestSession(request).load()
  return sessionOf(request)
}

function requestSession(request: Request): RequestSession {
  const session = held.get(request)
  if (session === undefined) {
    throw new Error('no session on this request: withSession(cluster, …) must be around what asks for it')
  }
  return session
}

async function respond(mount: Mount, request: Request, answer: () => Response | Promise<Response>): Promise<Response> {
  if (held.has(request)) {
    mount.warnOnce('session-middleware-mounted-twice', 'the second one does nothing')
    return await answer()
  }
  const session = new RequestSession(mount, headOf(request))
  held.set(request, session)
  if (mount.options.load === 'eager') await session.load()
  const response = await answer()
  try {
    await session.beforeHeaders()
  } catch (error) {
    session.commitFailed()
    await response.body?.cancel()
    throw error
  }
  return withHeadersOf(session, response)
}

function headOf(request: Request): RequestHead {
  const { protocol, pathname, search } = new URL(request.url)
  return {
    headers: Object.fromEntries(request.headers),
    url: pathname + search,
    socket: { encrypted: protocol === 'https:' },
  }
}

/** The response with what the browser has to learn; the same one where that is nothing. */
function withHeadersOf(session: RequestSession, response: Response): Response {
  const added = session.headersLeave()
  const isStreaming = response.body !== null && session.handle?.face !== undefined
  // An upgrade and a network error have no head that could be changed.
  if ((added.length === 0 && !isStreaming) || response.status < 200) return response
  const { status, statusText } = response
  const headers = new Headers(response.headers)
  for (const { name, value } of added) {
    if (name === 'Set-Cookie') headers.append(name, value)
    else headers.set(name, value)
  }
  if (added.length > 0 && !headers.has('cache-control')) headers.set('Cache-Control', 'no-store')
  const body = isStreaming ? response.body.pipeThrough(committingAtTheEnd(session)) : response.body
  return new Response(body, { status, statusText, headers })
}

/** Passes a body on; what was written to the session meanwhile is committed before its end. */
function committingAtTheEnd(session: RequestSession): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    flush: async () => {
      try {
        await session.beforeEnd()
      } catch (error) {
        session.lateCommitFailed(error)
      }
    },
  })
}

function responseTo(error: unknown): Response {
  const after = retryAfter(error)
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', ...(after === undefined ? {} : { 'Retry-After': after }) }
  return new Response(textOf(error), { status: statusOf(error), headers })
}
