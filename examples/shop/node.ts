import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createCluster } from '../../src/index.js' // in your project: from 'session-mesh'
import config from './cluster.config.js'
import { shop } from './shop.js'
import { type StoreName, stores } from './stores.js'

/*
 * One node of the shop, a process of its own: join the cluster, wait until every session can be served, then
 * listen. What comes after is for the demo, which starts this file with an IPC channel.
 */
const name = process.env['SESSION_MESH_NODE'] ?? 'a'
const cluster = await createCluster(config)
await cluster.ready()

const store = stores(cluster, process.env['CLUSTER_SECRET'] ?? randomBytes(32).toString('base64url'))
let app = shop(store[storeNamed(process.env['SHOP_STORE'])](), name)
const server = createServer((req, res) => void app(req, res))
server.keepAliveTimeout = 65_000 // longer than the proxy keeps a connection
server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => process.send?.({ type: 'listening' }))

/** The demo switches the store while the node runs; the shop is built anew, around the other line. */
process.on('message', (message: unknown) => {
  if (typeof message !== 'object' || message === null || !('use' in message)) return
  const chosen = storeNamed(message.use)
  app = shop(store[chosen](), name)
  process.send?.({ type: 'using', line: sourceLine(store[chosen]) })
})

/** The line as it stands in stores.ts. */
function sourceLine(sessions: () => unknown): string {
  return `app.use(${String(sessions).replace(/^\(\) => /, '')})`
}

function storeNamed(text: unknown): StoreName {
  return text === 'memory' ? 'memory' : 'mesh'
}

/** Ctrl-C reaches the whole process group; the demo ends its nodes itself, and without it there is none. */
process.on('SIGINT', () => {
  if (!process.connected) leave()
})
process.on('SIGTERM', leave)
process.on('disconnect', leave)

function leave(): void {
  setTimeout(() => process.exit(0), 1_000).unref()
  server.closeAllConnections()
  server.close(() => void cluster.close().finally(() => process.exit(0)))
}
