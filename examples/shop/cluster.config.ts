import { type ClusterConfig, defineConfig } from '../../src/index.js' // in your project: from 'session-mesh'

/**
 * The same on every node. What differs comes from the environment: SESSION_MESH_NODE (a name),
 * SESSION_MESH_LISTEN (host:port for the other nodes), SESSION_MESH_PEERS (all of them, separated by commas).
 */
const config: ClusterConfig = defineConfig({
  name: 'shop',
  secret: process.env['CLUSTER_SECRET'],
  backend: { type: 'replicated' },
  session: { ttl: '30m', cookie: { name: 'sid' } },
})

export default config
