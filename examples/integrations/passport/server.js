import express from 'express'
import passport from 'passport'
import { Strategy } from 'passport-local'
import { createCluster } from 'session-mesh'

const cluster = await createCluster({ name: 'shop' })

passport.use(new Strategy((name, password, done) => done(null, password === 'open sesame' && { name })))
passport.serializeUser((user, done) => done(null, user.name))
passport.deserializeUser((name, done) => done(null, { name }))

const app = express()
app.use(cluster.sessions())
app.use(passport.session())
app.get('/', (req, res) => {
  res.json({ user: req.user?.name ?? null })
})
// Passport wants username and password; this example knows one password.
app.post('/login', withPassword, passport.authenticate('local'), (req, res) => {
  res.json({ user: req.user.name })
})
app.post('/logout', (req, res, next) => {
  req.logout((error) => (error ? next(error) : res.json({ user: null })))
})

function withPassword(req, _res, next) {
  req.body = { username: req.query.user, password: 'open sesame' }
  next()
}

await cluster.ready()
const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
process.once('SIGTERM', () => server.close(() => void cluster.close()))
