import type { IncomingHttpHeaders } from 'node:http'

/** What is read of a request. An IncomingMessage is one, and so is what fetch.ts makes of a Request. */
export interface RequestHead {
  readonly headers: IncomingHttpHeaders
  readonly url?: string | undefined
  /** Where the request came in; `encrypted` is true behind TLS. */
  readonly socket?: (object & { readonly encrypted?: unknown }) | undefined
}
