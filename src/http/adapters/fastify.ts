/**
 * Sessions for Fastify: `app.register(fastifySessions, { cluster })`, then `request.session`. Needs nothing of the
 * package fastify.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Session } from '../handle/session-types.js'
import type { SessionMiddleware, SessionSource } from '../middleware.js'
import { requestSessionOf } from '../request/request-property.js'
import { answerError, withHeaders } from '../response/http-error.js'

export interface FastifyRequestLike {
  readonly raw: IncomingMessage
}

export interface FastifyReplyLike {
  readonly raw: ServerResponse
}

/** What is needed of a Fastify instance. */
export interface FastifyLike {
  decorateRequest(name: string, accessor: object): unknown
  addHook(name: 'onRequest' | 'onSend', hook: (...args: never[]) => void): unknown
}

type Done = (error?: Error) => void

/** Beside `cluster`, the options of `cluster.sessions(options)`. */
export type FastifySessionsOptions<Options extends object = object> = { readonly cluster: SessionSource<Options> } & Options

/** Loads in `onRequest` and commits in `onSend`, so that a commit that fails is answered by the error handler. */
export function fastifySessions<Options extends object>(
  fastify: FastifyLike,
  { cluster, ...options }: FastifySessionsOptions<Options>,
  done: Done,
): void {
  // What is left are the options; the compiler does not subtract from a type it does not know.
  const middleware = cluster.sessions(options as unknown as Options)
  fastify.decorateRequest('session', ACCESSOR)
  fastify.addHook('onRequest', (request: FastifyRequestLike, reply: FastifyReplyLike, loaded: Done) => {
    load(middleware, request, reply, loaded)
  })
  // oxlint-disable-next-line max-params -- Fastify tells hooks with callbacks by their four parameters
  fastify.addHook('onSend', (request: FastifyRequestLike, _reply: unknown, _payload: unknown, committed: Done) => {
    commit(request, committed)
  })
  done()
}

// Hooks for the whole application, not only for what is registered inside the plugin.
Object.assign(fastifySessions, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'session-mesh',
  [Symbol.for('plugin-meta')]: { name: 'session-mesh', fastify: '>=4' },
})

const ACCESSOR = {
  getter(this: FastifyRequestLike): Session {
    return this.raw.session
  },
  setter(this: FastifyRequestLike, value: Session | null): void {
    this.raw.session = value
  },
}

function load(middleware: SessionMiddleware, { raw }: FastifyRequestLike, reply: FastifyReplyLike, done: Done): void {
  let isLoaded = false
  middleware(raw, reply.raw, (error?: unknown) => {
    // A second time: a commit failed that calls of `reply.raw` had begun, past Fastify.
    if (isLoaded) answerError(reply.raw, error)
    else if (error === undefined) done()
    else done(withHeaders(error))
    isLoaded = true
  })
}

function commit({ raw }: FastifyRequestLike, done: Done): void {
  try {
    const pending = requestSessionOf(raw)?.gate?.commit()
    if (pending === undefined) done()
    else
      pending.then(
        () => done(),
        (error: unknown) => done(withHeaders(error)),
      )
  } catch (error) {
    done(withHeaders(error))
  }
}
