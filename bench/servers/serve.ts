/** What all server programs share: their orders, how they report, and that they end with whoever started them. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Handlers, OrderMessage, Report, ServerSpec } from './orders.js'
import { ownCpuMs } from './own-cpu.js'
import { SAMPLING } from './sampler.js'

/** Longer than any pause of the load: no connection is closed under a request. */
const KEEP_ALIVE_MS = 120_000

export function specOfThisProcess(): ServerSpec {
  return JSON.parse(process.env['BENCH_SERVER'] ?? '{}') as ServerSpec
}

/** Serves on a free port of the loopback, obeys orders, and tells when `ready` resolves. */
export async function serve(
  listener: RequestListener,
  { ready = Promise.resolve(), orders = {} }: { readonly ready?: Promise<void>; readonly orders?: Handlers } = {},
): Promise<Server> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  obey({ ...COMMON, ...SAMPLING, ...orders })
  report({ type: 'listening', ports: [(server.address() as AddressInfo).port] })
  ready.then(
    () => report({ type: 'ready' }),
    (error: unknown) => report({ type: 'failed', error: String(error) }),
  )
  return server
}

/** Answers every order, in the order in which they are done. Ends this process when its parent is gone. */
export function obey(handlers: Handlers): void {
  process.on('disconnect', () => process.exit(0))
  process.on('message', ({ order, name, argument }: OrderMessage) => {
    const handle = handlers[name] as ((argument: unknown) => unknown) | undefined
    const answering = async (): Promise<unknown> => {
      if (handle === undefined) throw new Error(`this server does not know the order ${name}`)
      return await handle(argument)
    }
    answering().then(
      (answer) => report({ type: 'answer', order, answer }),
      (error: unknown) => report({ type: 'answer', order, error: String(error) }),
    )
  })
}

export function report(message: Report): void {
  process.send?.(message)
}

/** Looks every so many milliseconds, from the first question on. */
const LAG_RESOLUTION_MS = 1
const lateness = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
const NS_PER_MS = 1_000_000

const COMMON: Handlers = {
  lag: () => {
    const beyond = (ns: number): number => Math.max(0, ns / NS_PER_MS - LAG_RESOLUTION_MS)
    const lag = { p99: beyond(lateness.percentile(99)), longest: beyond(lateness.max) }
    lateness.enable()
    lateness.reset()
    return lag
  },
  cpu: ownCpuMs,
  gc: () => {
    if (globalThis.gc === undefined) throw new Error('start this server with --expose-gc')
    const startedAt = performance.now()
    globalThis.gc()
    const ms = performance.now() - startedAt
    const { heapUsed, rss } = process.memoryUsage()
    return { ms, heap: heapUsed, rss }
  },
}
