/** A clock that goes back by no more was adjusted, by more it was set, milliseconds. */
const ADJUSTED_MS = 1_000

/** How long ago `since` was. If the clock was set back: longer than anything, or a wait would last until it catches up. */
export function elapsedMs(since: number, now: number): number {
  const elapsed = now - since
  return elapsed < -ADJUSTED_MS ? Infinity : elapsed
}
