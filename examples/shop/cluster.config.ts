import { type BackendConfig, type ClusterConfig, defineConfig } from '../../src/index.js' // in your project: from 'session-mesh'

/**
 * The same on every node. What differs comes from the environment: SESSION_MESH_NODE (a name),
 * SESSION_MESH_LISTEN (host:port for the other nodes), SESSION_MESH_PEERS (all of them, separated by commas).
 */
const backends: Readonly<Record<string, BackendConfig>> = {
  replicated: { type: 'replicated' },
  redis: { type: 'redis' }, // at REDIS_URL
  tiered: { type: 'tiered', near: { type: 'replicated' }, far: { type: 'redis' }, mode: 'write-behind' },
}

const config: ClusterConfig = defineConfig({
  name: 'shop',
  secret: process.env['CLUSTER_SECRET'],
  backend: backends[process.env['SHOP_BACKEND'] ?? 'replicated'], // this line decides where sessions live
  session: { ttl: '30m', cookie: { name: 'sid' } },
})

export default config
