/**
 * Wires with a delay: for each target a port whose connections lead there, every byte `delayMs` later in each
 * direction. Bytes keep their order and none is lost; they are counted. A process of its own, so that neither the servers nor the load
 * pay for it.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { obey, report } from './serve.js'

export interface RelaySpec {
  readonly delayMs: number
  readonly targets: readonly string[]
}

/** Bytes of TCP payload, either way. */
export interface Carried {
  readonly to: number
  readonly from: number
}

interface Wire {
  to: number
  from: number
}

const { delayMs, targets } = JSON.parse(process.env['BENCH_RELAY'] ?? '{}') as RelaySpec

const wires: readonly Wire[] = targets.map(() => ({ to: 0, from: 0 }))

obey({ carried: () => wires })
report({ type: 'listening', ports: await Promise.all(targets.map((target, i) => open(target, wires[i]))) })
report({ type: 'ready' })

async function open(target: string, wire: Wire = { to: 0, from: 0 }): Promise<number> {
  const [host = '', port = ''] = target.split(':')
  const server = createServer((inbound) => {
    const outbound = connect({ host, port: Number(port), noDelay: true })
    inbound.setNoDelay(true)
    forward(inbound, outbound, (bytes) => (wire.to += bytes))
    forward(outbound, inbound, (bytes) => (wire.from += bytes))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function forward(from: Socket, to: Socket, count: (bytes: number) => void): void {
  from.on('error', () => to.destroy())
  from.on('close', () => later(() => to.end()))
  from.on('data', (bytes) => {
    count(bytes.length)
    later(() => to.writable && to.write(bytes))
  })
}

/** Timers of equal length fire in order. */
function later(deliver: () => void): void {
  setTimeout(deliver, delayMs)
}
