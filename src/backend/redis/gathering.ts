import type { Client, Corkable } from './dial.js'

/**
 * Commands of one turn of the event loop leave together. A write to a socket, and waking up the server for it, cost both
 * sides more than the commands do; under load a dozen of them share one.
 */
export class Gathering {
  readonly #client: Client
  readonly #corked: Corkable[] = []

  constructor(client: Client) {
    this.#client = client
  }

  /** Before a command is sent: it leaves when this turn has done with what came in. */
  gather(): void {
    if (this.#corked.length > 0) return
    const { stream } = this.#client
    if (stream !== undefined) this.#cork(stream)
    else for (const node of this.#client.nodes?.('all') ?? []) this.#cork(node.stream)
    if (this.#corked.length > 0) setImmediate(this.#release)
  }

  #cork(stream: Corkable | undefined): void {
    if (stream === undefined) return
    stream.cork()
    this.#corked.push(stream)
  }

  readonly #release = (): void => {
    for (const stream of this.#corked.splice(0)) stream.uncork()
  }
}
