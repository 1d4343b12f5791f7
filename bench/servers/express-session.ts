/** express-session as most people run it, on one of three stores. */
import expressSession, { type Store } from 'express-session'
import { expressSessionApplication } from './express-session-application.js'
import { serve, specOfThisProcess } from './serve.js'
import { storeOrders } from './store-orders.js'

const TTL_MS = 30 * 60_000

const { store, redis } = specOfThisProcess()

const opened = await open()

await serve(expressSessionApplication(opened), { orders: storeOrders(opened) })

async function open(): Promise<Store> {
  switch (store ?? 'memory') {
    case 'memorystore': {
      const { default: memorystore } = await import('memorystore')
      const MemoryStore = memorystore(expressSession)
      return new MemoryStore({ checkPeriod: TTL_MS })
    }
    case 'connect-redis': {
      const [{ RedisStore }, { createClient }] = await Promise.all([import('connect-redis'), import('redis')])
      const client = createClient({ url: redis ?? '' })
      client.on('error', (error: unknown) => process.stderr.write(`${String(error)}\n`))
      await client.connect()
      return new RedisStore({ client })
    }
    case 'memory':
      return new expressSession.MemoryStore()
  }
}
