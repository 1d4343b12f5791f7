/** What both services agree on; each adds who it is. */
export const gossip = {
  a: process.env.GOSSIP_A ?? '127.0.0.1:7946',
  b: process.env.GOSSIP_B ?? '127.0.0.1:7947',
}

/** @type {import('session-mesh').ClusterConfig} */
export const config = {
  name: 'two-services',
  peers: Object.values(gossip),
  secret: process.env.CLUSTER_SECRET, // without one, both must be on this machine
  backend: { type: process.env.REDIS_URL === undefined ? 'replicated' : 'redis' },
  session: { ttl: '30d', rolling: true, cookie: { maxAge: '30d' } },
}
