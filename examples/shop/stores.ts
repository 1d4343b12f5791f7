import type { RequestHandler } from 'express'
import session from 'express-session'
import type { Cluster } from '../../src/index.js' // in your project: from 'session-mesh'

const { MemoryStore } = session

/** Where the shop keeps its sessions. */
export type StoreName = 'mesh' | 'memory'

/** One line each: this is all that changes in the shop. The demo's page shows the line that is in use. */
export function stores(cluster: Cluster, secret: string): Record<StoreName, () => RequestHandler> {
  return {
    mesh: () => cluster.sessions(),
    memory: () => session({ store: new MemoryStore(), secret, resave: false, saveUninitialized: false }),
  }
}
