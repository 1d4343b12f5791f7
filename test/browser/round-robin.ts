import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { LONG_LIVED } from '../support/long-lived.js'

/** Request after request, and WebSocket after WebSocket, to the next of some local ports. */
export class RoundRobin {
  readonly #ports: readonly number[]
  readonly #agent = new Agent({ keepAlive: true })
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #turn = 0

  constructor(ports: readonly number[]) {
    this.#ports = ports
    this.#server = createServer(LONG_LIVED, (req, res) => this.#forward(req, res))
    this.#server.on('upgrade', (req, socket: Socket, head) => this.#join(req, socket, head))
    this.#server.on('connection', (socket: Socket) => this.#hold(socket))
  }

  /** Answers its port. */
  async open(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#agent.destroy()
  }

  #forward(req: IncomingMessage, res: ServerResponse): void {
    const { method, url: path, headers } = req
    const options = { agent: this.#agent, host: '127.0.0.1', port: this.#next(), method, path, headers }
    const upstream = request(options, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(res)
    })
    upstream.on('error', () => {
      if (res.headersSent) res.destroy()
      else res.writeHead(502).end()
    })
    req.pipe(upstream)
  }

  /** From the request on, the two connections are one. */
  #join({ method, url, rawHeaders }: IncomingMessage, socket: Socket, head: Buffer): void {
    const upstream = connect(this.#next(), '127.0.0.1')
    this.#hold(upstream)
    const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []))
    upstream.write([`${method} ${url} HTTP/1.1`, ...lines, '', ''].join('\r\n'))
    upstream.write(head)
    upstream.pipe(socket).pipe(upstream)
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  }

  #next(): number {
    return this.#ports[this.#turn++ % this.#ports.length] ?? 0
  }
}
