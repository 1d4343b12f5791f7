import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** What is read of a request. An IncomingMessage is one, and so is what fetch.ts makes of a Request. */
export interface RequestHead {
  readonly headers: IncomingHttpHeaders
  readonly url?: string | undefined
  /** What Express keeps of the address while it shortens `url`. */
  readonly originalUrl?: unknown
  /** Where the request came in; `encrypted` is true behind TLS. */
  readonly socket?: (object & { readonly encrypted?: unknown }) | undefined
  /** Whether Express says that the browser spoke https. */
  readonly secure?: unknown
}

/** The head of a request of node's, whose headers are asked for once: getters on it are never cached (request-property.ts). */
export class IncomingHead implements RequestHead {
  readonly headers: IncomingHttpHeaders
  readonly #req: IncomingMessage & RequestHead

  constructor(req: IncomingMessage) {
    this.headers = req.headers
    this.#req = req
  }

  get url(): string | undefined {
    return this.#req.url
  }

  get originalUrl(): unknown {
    return this.#req.originalUrl
  }

  get socket(): RequestHead['socket'] {
    return this.#req.socket
  }

  get secure(): unknown {
    return this.#req.secure
  }
}
