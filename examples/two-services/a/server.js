import express from 'express'
import { createCluster } from 'session-mesh'
import { config, gossip } from '../cluster.config.js'

const cluster = await createCluster({ ...config, node: { id: 'a', listen: gossip.a } })

const app = express()
app.use(cluster.sessions())
app.post('/session', (req, res) => {
  const { name } = req.query
  if (typeof name !== 'string') return res.status(400).json({ error: 'name is missing' })
  req.session.name = name
  res.json({ saved: name })
})

await cluster.ready()
const server = app.listen(Number(process.env.PORT ?? 3001), '127.0.0.1')
process.once('SIGTERM', () => server.close(() => void cluster.close()))
