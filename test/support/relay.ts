import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/**
 * A wire between two processes that a test can lengthen and cut. Bytes keep their order and none is lost: while cut
 * they wait, as they do in TCP's retransmission, and new connections hang.
 */
export class Relay {
  delayMs = 0
  readonly #target: () => { readonly host: string; readonly port: number }
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #held: (() => void)[] = []
  #isCut = false

  constructor(target: () => { readonly host: string; readonly port: number }, delayMs = 0) {
    this.#target = target
    this.delayMs = delayMs
    this.#server = createServer((socket) => this.#bridge(socket))
  }

  /** Starts to listen on a free port of 127.0.0.1; answers `host:port`. */
  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Silence in both directions, without FIN or RST. */
  cut(): void {
    this.#isCut = true
  }

  heal(): void {
    this.#isCut = false
    for (const release of this.#held.splice(0)) release()
  }

  /** Ends every connection with a reset. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    this.#isCut = false
    this.#held.splice(0)
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #bridge(inbound: Socket): void {
    const { host, port } = this.#target()
    const outbound = connect({ host, port, noDelay: true })
    inbound.setNoDelay(true)
    for (const [from, to] of [[inbound, outbound], [outbound, inbound]] as const) {
      this.#sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        this.#later(() => to.end())
      })
      from.on('data', (bytes) => this.#later(() => to.writable && to.write(bytes)))
    }
  }

  /** Timers of equal length fire in order, and what is held is released in order: the wire never reorders. */
  #later(forward: () => void): void {
    const deliver = (): void => {
      if (this.#isCut || this.#held.length > 0) this.#held.push(forward)
      else forward()
    }
    if (this.delayMs > 0) setTimeout(deliver, this.delayMs)
    else deliver()
  }
}
