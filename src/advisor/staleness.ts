import type { Load } from './load.js'

/**
 * Share of requests that meet a copy older than what their browser has seen, when browsers carry no stamps:
 * the chance of a write to the same session, on another node, within the time for which it is unseen here.
 * Requests of a session come independently of each other and go to any node. With stamps it is 0.
 */
export function staleShare({ rate, sessions, writes, nodes }: Load, unseenMs: number): number {
  const requestsPerMs = rate / sessions / 1_000
  return 1 - Math.exp(-requestsPerMs * writes * (1 - 1 / nodes) * unseenMs)
}
