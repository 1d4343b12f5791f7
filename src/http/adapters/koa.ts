/**
 * Sessions for Koa: `app.use(koaSessions(cluster))`, then `ctx.session`. Needs nothing of the package koa.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Session } from '../handle/session-types.js'
import type { SessionSource } from '../middleware.js'
import { requestSessionOf } from '../request/request-property.js'
import { withHeaders } from '../response/http-error.js'

/** What is needed of a Koa context. */
export interface KoaContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  onerror(error: Error): void
}

/** What the middleware adds to it. */
export interface WithSession {
  get session(): Session
  set session(value: Session | null)
}

export type KoaMiddleware = (ctx: KoaContext, next: () => Promise<unknown>) => Promise<void>

/** `options` are those of `cluster.sessions(options)`. A commit that fails is thrown to the middlewares before this one. */
export function koaSessions<Options>(cluster: SessionSource<Options>, options?: Options): KoaMiddleware {
  const middleware = cluster.sessions(options)
  return async (ctx, next) => {
    await new Promise<void>((resolve, reject) => {
      let isLoaded = false
      middleware(ctx.req, ctx.res, (error?: unknown) => {
        // A second time: a commit failed that the application's own calls of `ctx.res` had begun.
        if (isLoaded) ctx.onerror(withHeaders(error))
        else if (error === undefined) resolve()
        else reject(withHeaders(error))
        isLoaded = true
      })
    })
    Object.defineProperty(ctx, 'session', SESSION)
    await next()
    try {
      await requestSessionOf(ctx.req)?.gate?.commit()
    } catch (error) {
      throw withHeaders(error)
    }
  }
}

const SESSION: PropertyDescriptor = {
  configurable: true,
  get(this: KoaContext) {
    return this.req.session
  },
  set(this: KoaContext, value: Session | null) {
    this.req.session = value
  },
}
