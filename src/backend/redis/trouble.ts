/** What goes wrong between a node and Redis, sorted by what helps, and told in one line. */

/**
 * `readonly`: the wrong server, a new connection may lead to the right one. `passing`: nothing was done, the same again
 * will work. `lost`: whether it was done is unknown; scripts can be repeated. `unknown`: the server does not have that
 * script (any more), and needs its text. `refused`: an answer, and it is no.
 */
export type Trouble = 'readonly' | 'passing' | 'lost' | 'unknown' | 'refused'

const PASSING = /^(?:LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY )/
const CREDENTIALS = /^(?:NOAUTH|WRONGPASS|NOPERM|ERR invalid password|ERR AUTH|ERR Client sent AUTH)/

export function troubleOf(error: Error): Trouble {
  if (error.message.startsWith('READONLY')) return 'readonly'
  if (error.message.startsWith('NOSCRIPT')) return 'unknown'
  if (PASSING.test(error.message)) return 'passing'
  return error.name === 'ReplyError' ? 'refused' : 'lost'
}

/** Whether waiting does not help: Redis is there and does not let us in. */
export function isCredentials(error: Error): boolean {
  return CREDENTIALS.test(error.message)
}

/** The innermost cause: ioredis wraps what a node of a cluster said. */
export function causeOf(error: Error): Error {
  const inner: unknown = Reflect.get(error, 'lastNodeError') ?? error.cause
  return inner instanceof Error ? causeOf(inner) : error
}

export interface FailedStart {
  readonly server: string
  readonly attempts: number
  readonly elapsedMs: number
  readonly cause: Error | undefined
}

/** Why Redis was not reached at start: where, what was tried, one way to mend it. */
export function startLine({ server, attempts, elapsedMs, cause }: FailedStart): string {
  const tried = `${attempts} connection attempt${attempts === 1 ? '' : 's'} in ${elapsedMs} ms`
  if (cause === undefined) return `Redis at ${server} did not answer (${tried}); ${MEND.ETIMEDOUT}`
  const given: unknown = Reflect.get(cause, 'code')
  const code = typeof given === 'string' ? given : cause.name
  if (isCredentials(cause)) return `Redis at ${server} does not let this node in (${cause.message}); ${CREDENTIALS_MEND}`
  const reason = cause.message === '' ? code : cause.message
  const mend = Object.entries(MEND).find(([key]) => key === code || reason.includes(key))?.[1] ?? MEND.ECONNREFUSED
  return `Redis at ${server} is not reachable (${tried}; ${reason}); ${mend}`
}

const MEND = {
  ECONNREFUSED: 'start redis-server there, or correct the address in `backend`',
  ENOTFOUND: 'correct the host name in `backend`: nobody knows it',
  EAI_AGAIN: 'the name server does not answer: check the network of this node',
  ETIMEDOUT: 'check that a firewall lets this node reach it, or correct the address in `backend`',
  EHOSTUNREACH: 'check the route from this node, or correct the address in `backend`',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'give the certificate in `backend.tls.ca`',
  ERR_SSL_WRONG_VERSION_NUMBER: 'this port does not speak TLS: leave out `backend.tls`, or use its TLS port',
  'known by sentinels': 'the Sentinels know no primary by that name: correct `backend.name`',
} as const

const CREDENTIALS_MEND = 'correct `backend.username` and `backend.password`, or the rights of that user'
