import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createCluster } from 'session-mesh'
import { honoSessions, sessionOf } from 'session-mesh/fetch'

const cluster = await createCluster({ name: 'shop' })

const app = new Hono()
app.use(honoSessions(cluster))
app.get('/', (c) => c.json({ user: sessionOf(c.req.raw).user ?? null }))
app.post('/login', async (c) => {
  const session = sessionOf(c.req.raw)
  await session.rotate()
  session.user = c.req.query('user')
  return c.json({ user: session.user })
})
app.post('/logout', async (c) => {
  await sessionOf(c.req.raw).destroy()
  return c.json({ user: null })
})

await cluster.ready()
const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: '127.0.0.1' })
process.once('SIGTERM', () => server.close(() => void cluster.close()))
