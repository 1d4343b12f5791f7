import fastify from 'fastify'
import { createCluster } from 'session-mesh'
import { fastifySessions } from 'session-mesh/fastify'

const cluster = await createCluster({ name: 'shop' })

const app = fastify()
await app.register(fastifySessions, { cluster })
app.get('/', async ({ session }) => ({ user: session.user ?? null }))
app.post('/login', async (request) => {
  await request.session.rotate()
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
