import type { ServerResponse } from 'node:http'

/** The status that fits an error: 503 where trying again helps. */
export function statusOf(error: unknown): number {
  return typeof error === 'object' && error !== null && 'status' in error && error.status === 503 ? 503 : 500
}

/** When to try again, as Retry-After has it; undefined where that does not help. */
export function retryAfter(error: unknown): string | undefined {
  if (statusOf(error) !== 503) return undefined
  const known = typeof error === 'object' && error !== null && 'retryAfterMs' in error
  return String(Math.max(1, Math.ceil((known ? Number(error.retryAfterMs) : 1_000) / 1_000)))
}

/** The same error, with the headers that Fastify and Koa send with it. */
export function withHeaders(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('no Error was thrown, but something else', { cause: error })
  const after = retryAfter(error)
  return after === undefined ? error : Object.assign(error, { headers: { 'Retry-After': after } })
}

/** What is said where nobody else answers an error. */
export function textOf(error: unknown): string {
  return statusOf(error) === 503 ? 'Service Unavailable\n' : 'Internal Server Error\n'
}

/** Answers an error, where nobody else does. */
export function answerError(res: ServerResponse, error: unknown): void {
  res.statusCode = statusOf(error)
  res.setHeader('Content-Type', 'text/plain; charset=utf-8')
  const after = retryAfter(error)
  if (after !== undefined) res.setHeader('Retry-After', after)
  res.end(textOf(error))
}
