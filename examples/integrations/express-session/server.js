import express from 'express'
import session from 'express-session'
import { createCluster } from 'session-mesh'

const cluster = await createCluster({ name: 'shop' })

const app = express()
app.use(
  session({
    store: cluster.store(), // was: new MemoryStore()
    secret: process.env.COOKIE_SECRET ?? 'the same on every node',
    resave: false,
    saveUninitialized: false,
  }),
)
app.get('/', (req, res) => {
  res.json({ user: req.session.user ?? null })
})
app.post('/login', (req, res, next) => {
  req.session.regenerate((error) => {
    if (error) return next(error)
    req.session.user = req.query.user
    res.json({ user: req.session.user })
  })
})
app.post('/logout', (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.json({ user: null })))
})

await cluster.ready()
const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
process.once('SIGTERM', () => server.close(() => void cluster.close()))
