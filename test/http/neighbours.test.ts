import express from 'express'
import expressSession from 'express-session'
import { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { bare, json, mount, serve } from './support.js'

it('a server without the middleware, in the same process, sees nothing of it', async () => {
  mount()
  const client = await serve((req, res) => {
    const before: unknown = req.session
    Reflect.set(req, 'session', 'mine')
    json(res, [before ?? null, req.session, Object.keys(req).includes('session')])
  })
  expect((await client.get()).body).toBe('[null,"mine",true]')
})

it('express-session serves another app of the same process', async () => {
  const { middleware } = mount()
  const app = express()
  app.use(expressSession({ secret: 'x', resave: false, saveUninitialized: false, name: 'other' }))
  app.use((req, res) => {
    const session: { views?: number } = Object(req.session)
    session.views = (session.views ?? 0) + 1
    res.json(session.views)
  })
  const other = await serve(app)
  const ours = await serve(bare(middleware, ({ session }, res) => json(res, (session.n = (session.n ?? 0) + 1))))
  for (const expected of ['1', '2', '3']) {
    expect((await other.get()).body).toBe(expected)
    expect((await ours.get()).body).toBe(expected)
  }
})

it('sub-apps of Express commit what they answer, wherever the middleware is mounted', async () => {
  const { middleware } = mount()
  const inner = express().use((req, res) => {
    Object.assign(req.session, { n: 1 })
    res.send('inner')
  })
  const within = express().use(middleware)
  const outer = await serve(express().use(middleware).use(inner))
  const around = await serve(
    express()
      .use(within)
      .use((req, res) => {
        Object.assign(req.session, { n: 1 })
        res.send('outer')
      }),
  )
  expect((await outer.get()).setCookie).toHaveLength(1)
  expect((await around.get()).setCookie).toHaveLength(1)
})

it('who wraps the methods of all responses later is called once per call', async () => {
  const { middleware } = mount()
  const { prototype } = ServerResponse
  const descriptor = Object.getOwnPropertyDescriptor(prototype, 'end')
  let ends = 0
  const end = Reflect.get(prototype, 'end')
  Object.assign(prototype, {
    end(this: ServerResponse, ...args: unknown[]): unknown {
      ends++
      return Reflect.apply(end, this, args)
    },
  })
  try {
    mount()
    const client = await serve(bare(middleware, ({ session }, res) => json(res, (session.n = (session.n ?? 0) + 1))))
    await client.get()
    expect((await client.get()).body).toBe('2')
    expect(ends).toBe(2)
  } finally {
    if (descriptor !== undefined) Object.defineProperty(prototype, 'end', descriptor)
  }
})
