import express from 'express'
import { createCluster } from 'session-mesh'
import { config, gossip } from '../cluster.config.js'

const cluster = await createCluster({ ...config, node: { id: 'b', listen: gossip.b } })

const app = express()
app.use(cluster.sessions())
app.post('/getSession', (req, res) => {
  res.json({ name: req.session.name ?? null })
})

await cluster.ready()
const server = app.listen(Number(process.env.PORT ?? 3002), '127.0.0.1')
process.once('SIGTERM', () => server.close(() => void cluster.close()))
