/**
 * One handler, in whatever answers HTTP: what session-mesh/fetch, /koa and /fastify make of it, and node:http and
 * Express beside them.
 */
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { fastifySessions } from '../../src/http/adapters/fastify.js'
import { honoSessions, sessionOf, withSession } from '../../src/http/adapters/fetch.js'
import { koaSessions, type KoaContext, type WithSession } from '../../src/http/adapters/koa.js'
import type { SessionMiddleware, SessionSource } from '../../src/http/middleware.js'
import type { Session } from '../../src/http/handle/session-types.js'
import { bare } from './support.js'

const require = createRequire(import.meta.url)
const express4 = require('express4') as typeof express
const Koa = require('koa') as new () => KoaApp

/** What a handler sees of a request. */
export interface Visit {
  readonly path: string
  /** As it is now: another one after regenerate(). */
  readonly session: () => Session<Record<string, unknown>>
}

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | AsyncGenerator<string>
}

export type VisitHandler = (visit: Visit) => Reply | Promise<Reply>

/**
 * Mounts the sessions of a source before a handler. `failed` hears of errors where applications of the container do,
 * which then answers them as it does by itself.
 */
export type Container = (source: SessionSource<object>, handler: VisitHandler, failed: (error: unknown) => void) => RequestListener | Promise<RequestListener>

type TestSession = Session<Record<string, unknown>>

const nodeHttp: Container = (source, handler, failed) => {
  const sessions = source.sessions()
  const telling: SessionMiddleware = Object.assign((...[req, res, next]: Parameters<SessionMiddleware>) => {
    sessions(req, res, (error?: unknown) => {
      if (error !== undefined) failed(error)
      next(error)
    })
  }, { counters: {} })
  return bare(telling, async (req, res) => {
    const { status = 200, headers = {}, body = '' } = await handler({ path: req.url ?? '/', session: () => req.session })
    res.statusCode = status
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
    if (typeof body === 'string') res.end(body)
    else Readable.from(body).pipe(res)
  })
}

function withExpress(framework: typeof express): Container {
  return (source, handler, failed) => {
    const app = framework()
    app.set('env', 'test')
    app.use(source.sessions())
    app.use((req, res, next) => {
      const answer = async (): Promise<void> => {
        const { status = 200, headers = {}, body = '' } = await handler({ path: req.url, session: () => req.session })
        res.status(status).set(headers)
        if (typeof body === 'string') res.send(body)
        else Readable.from(body).pipe(res)
      }
      answer().catch(next)
    })
    // oxlint-disable-next-line max-params -- Express tells error handlers by their four parameters
    app.use((error: unknown, _req: unknown, _res: unknown, next: (error: unknown) => void) => {
      failed(error)
      next(error)
    })
    return app
  }
}

const withFastify: Container = async (cluster, handler, failed) => {
  const app = fastify()
  app.setErrorHandler((error) => {
    failed(error)
    throw error
  })
  await app.register(fastifySessions, { cluster })
  app.all('*', async (request, reply) => {
    const session = (): TestSession => Reflect.get(request, 'session') as TestSession
    const { status = 200, headers = {}, body = '' } = await handler({ path: request.url, session })
    return reply.code(status).headers(headers).send(typeof body === 'string' ? body : Readable.from(body))
  })
  await app.ready()
  return (req, res) => app.routing(req, res)
}

interface KoaAnswer extends KoaContext, WithSession {
  readonly url: string
  status: number
  body: unknown
  set(headers: Readonly<Record<string, string>>): void
}

/** The part of Koa that is used here; its package has no types. */
interface KoaApp {
  silent: boolean
  use(middleware: (ctx: KoaAnswer, next: () => Promise<unknown>) => Promise<void>): void
  callback(): (req: IncomingMessage, res: ServerResponse) => void
}

const withKoa: Container = (cluster, handler, failed) => {
  const app = new Koa()
  app.silent = true
  app.use(async (_ctx, next) => {
    try {
      await next()
    } catch (error) {
      failed(error)
      throw error
    }
  })
  app.use(koaSessions(cluster))
  app.use(async (ctx: KoaAnswer) => {
    const { status = 200, headers = {}, body = '' } = await handler({ path: ctx.url, session: () => ctx.session })
    ctx.status = status
    ctx.set(headers)
    ctx.body = typeof body === 'string' ? body : Readable.from(body)
  })
  return app.callback()
}

async function responseOf(handler: VisitHandler, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const session = (): TestSession => sessionOf(request)
  const { status = 200, headers = {}, body = '' } = await handler({ path: pathname + search, session })
  const stream = typeof body === 'string' ? body : Readable.toWeb(Readable.from(body).map((part: string) => Buffer.from(part)))
  return new Response(status === 304 ? null : (stream as BodyInit), { status, headers: { ...headers } })
}

function listenerOf(answer: (request: Request) => Response | Promise<Response>): RequestListener {
  const listener = getRequestListener(answer)
  return (req, res) => void listener(req, res)
}

const withHono: Container = (cluster, handler, failed) => {
  const app = new Hono()
  app.use(honoSessions(cluster))
  app.all('*', (context) => responseOf(handler, context.req.raw))
  app.onError((error, context) => {
    failed(error)
    return 'getResponse' in error ? error.getResponse() : context.text('failed', 500)
  })
  return listenerOf((request) => app.fetch(request))
}

const withFetch: Container = (cluster, handler, failed) => {
  const answer = withSession(cluster, (request) => responseOf(handler, request))
  return listenerOf(async (request) => {
    try {
      return await answer(request)
    } catch (error) {
      failed(error)
      return new Response('failed', { status: 500 })
    }
  })
}

export const containers: readonly (readonly [string, Container])[] = [
  ['node:http', nodeHttp],
  ['Express 4', withExpress(express4)],
  ['Express 5', withExpress(express)],
  ['Fastify 5', withFastify],
  ['Koa 3', withKoa],
  ['Hono 4', withHono],
  ['a fetch handler', withFetch],
]
