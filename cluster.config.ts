/**
 * An example: three nodes on one machine. Start each with its own name and port:
 *
 *   npx session-mesh start --node a --listen 127.0.0.1:7946
 *
 * On more than one machine set CLUSTER_SECRET on all of them (`openssl rand -base64 32`).
 */
import { defineConfig } from 'session-mesh'

export default defineConfig({
  name: 'shop',
  node: { id: 'a', listen: '127.0.0.1:7946' },
  peers: ['127.0.0.1:7946', '127.0.0.1:7947', '127.0.0.1:7948'],
  secret: process.env.CLUSTER_SECRET,
  backend: { type: 'replicated' },
  session: { ttl: '30m', cookie: { name: 'sid' } },
})
