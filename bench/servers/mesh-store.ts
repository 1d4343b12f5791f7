/** express-session with the Store of session-mesh. */
import expressSession, { type Store } from 'express-session'
import { expressSessionApplication } from './express-session-application.js'
import { meshOrders, openMesh } from './mesh-cluster.js'
import { serve, specOfThisProcess } from './serve.js'

const cluster = await openMesh(specOfThisProcess())
const store = cluster.store({ expressSession }) as unknown as Store

await serve(expressSessionApplication(store), { ready: cluster.ready(), orders: meshOrders(cluster) })
