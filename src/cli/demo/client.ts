import { Agent, type ClientRequest, type IncomingMessage, request, type RequestOptions } from 'node:http'

const SWEEP_EVERY_MS = 500

/**
 * Kept-alive connections on this machine, and a time within which each request must be done. One sweep is for
 * all of them: node's own `timeout` arms a timer per request, a third of what a request costs here.
 */
export class Client {
  readonly #agent: Agent
  readonly #withinMs: number
  readonly #now: () => number
  /** Oldest first, since all have the same time. */
  readonly #deadlines = new Map<ClientRequest, number>()
  readonly #sweep: NodeJS.Timeout

  constructor(connections: number, withinMs: number, now: () => number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections })
    this.#withinMs = withinMs
    this.#now = now
    this.#sweep = setInterval(() => this.#endOverdue(), SWEEP_EVERY_MS).unref()
  }

  /** A request that is not sent yet: write its body and end it. It fails with 'timeout' when overdue. */
  request(options: RequestOptions, answered: (answer: IncomingMessage) => void): ClientRequest {
    const outgoing = request({ ...options, host: '127.0.0.1', agent: this.#agent }, answered)
    this.#deadlines.set(outgoing, this.#now() + this.#withinMs)
    outgoing.once('close', () => this.#deadlines.delete(outgoing))
    return outgoing
  }

  close(): void {
    clearInterval(this.#sweep)
    this.#agent.destroy()
  }

  #endOverdue(): void {
    const now = this.#now()
    for (const [outgoing, deadline] of this.#deadlines) {
      if (deadline > now) return
      outgoing.destroy(new Error('timeout'))
    }
  }
}
