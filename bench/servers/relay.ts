/**
 * Wires with a delay: for each target a port whose connections lead there, every byte `delayMs` later in each
 * direction. Bytes keep their order and none is lost. A process of its own, so that neither the servers nor the load
 * pay for it.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { obey, report } from './serve.js'

export interface RelaySpec {
  readonly delayMs: number
  readonly targets: readonly string[]
}

const { delayMs, targets } = JSON.parse(process.env['BENCH_RELAY'] ?? '{}') as RelaySpec

obey({})
report({ type: 'listening', ports: await Promise.all(targets.map((target) => open(target))) })
report({ type: 'ready' })

async function open(target: string): Promise<number> {
  const [host = '', port = ''] = target.split(':')
  const server = createServer((inbound) => {
    const outbound = connect({ host, port: Number(port), noDelay: true })
    inbound.setNoDelay(true)
    forward(inbound, outbound)
    forward(outbound, inbound)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function forward(from: Socket, to: Socket): void {
  from.on('error', () => to.destroy())
  from.on('close', () => later(() => to.end()))
  from.on('data', (bytes) => later(() => to.writable && to.write(bytes)))
}

/** Timers of equal length fire in order. */
function later(deliver: () => void): void {
  setTimeout(deliver, delayMs)
}
