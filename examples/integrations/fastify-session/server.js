import cookie from '@fastify/cookie'
import session from '@fastify/session'
import fastify from 'fastify'
import { createCluster } from 'session-mesh'

const cluster = await createCluster({ name: 'shop' })

const app = fastify()
await app.register(cookie)
await app.register(session, {
  store: cluster.store(),
  secret: process.env.COOKIE_SECRET ?? 'the same on every node, 32 characters or more',
  saveUninitialized: false,
  cookie: { secure: 'auto' },
})
app.get('/', async ({ session }) => ({ user: session.user ?? null }))
app.post('/login', async (request) => {
  await request.session.regenerate()
  request.session.user = request.query.user
  return { user: request.session.user }
})
app.post('/logout', async ({ session }) => {
  await session.destroy()
  return { user: null }
})

await cluster.ready()
await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })
process.once('SIGTERM', () => void app.close().then(() => cluster.close()))
