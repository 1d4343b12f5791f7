/** session-mesh with its own middleware, on any backend. */
import type { RequestHandler } from 'express'
import { application, type SessionData } from './application.js'
import { meshOrders, openMesh } from './mesh-cluster.js'
import { serve, specOfThisProcess } from './serve.js'

interface MeshSession {
  destroy(): Promise<unknown>
}

const cluster = await openMesh(specOfThisProcess())
const sessionOf = (req: object): unknown => (req as { readonly session: unknown }).session

const app = application({
  middleware: cluster.sessions() as RequestHandler,
  session: (req) => sessionOf(req) as SessionData,
  destroy: async (req) => {
    await (sessionOf(req) as MeshSession).destroy()
  },
})

await serve(app, { ready: cluster.ready(), orders: meshOrders(cluster) })
