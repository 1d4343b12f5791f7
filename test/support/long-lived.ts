import type { ServerOptions } from 'node:http'

/** Longer than any pause of a test: no server closes a connection just as a request comes over it. */
export const LONG_LIVED: ServerOptions = { keepAliveTimeout: 120_000 }
