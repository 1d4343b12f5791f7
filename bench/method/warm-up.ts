/** Seconds. Whoever measures in shorter windows tries something out, and does not wait for the compiler. */
const WINDOW_IN_EARNEST = 0.75

/** Requests before the first window: as many as it takes until the compiler has nothing left to do, if it is a long one. */
export function warmUpFor(windowSeconds: number, requests: number): number {
  return Math.ceil(requests * Math.min(1, windowSeconds / WINDOW_IN_EARNEST))
}
