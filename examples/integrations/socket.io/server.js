import express from 'express'
import { createServer } from 'node:http'
import { createCluster } from 'session-mesh'
import { Server } from 'socket.io'

const cluster = await createCluster({ name: 'chat' })
const sessions = cluster.sessions()

const app = express()
app.use(sessions)
app.get('/', (req, res) => {
  res.json({ user: req.session.user ?? null })
})
app.post('/login', async (req, res) => {
  await req.session.rotate()
  req.session.user = req.query.user
  res.json({ user: req.session.user })
})
app.post('/logout', async (req, res) => {
  await req.session.destroy()
  res.json({ user: null })
})

const server = createServer(app)
const io = new Server(server)
io.engine.use(sessions)
io.use(async (socket, next) => {
  const bound = await cluster.bindSocket(
    {
      onMessage: (heard) => void socket.onAny(heard),
      onClose: (gone) => void socket.on('disconnect', gone),
      close: () => void socket.disconnect(true),
    },
    socket.request,
    { anonymous: 'allow' }, // refused below, with a reason that the page can read
  )
  if (bound.ref === undefined) return next(new Error('log in first'))
  socket.data.session = () => bound.session()
  next()
})
io.on('connection', (socket) => {
  socket.on('whoami', async (answer) => {
    const session = await socket.data.session()
    answer(session.user)
  })
})

await cluster.ready()
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
process.once('SIGTERM', () => void io.close(() => void cluster.close()))
