/** What a crowd met with. */
export interface Figures {
  readonly clicks: number
  /** Clicks of somebody who is logged in that ended at the login page. */
  readonly loginRedirects: number
  /** Pages that did not know who was looking. */
  readonly strangers: number
  /** Pages that did not show a change that their browser had made. */
  readonly staleCarts: number
  /** No answer, or an error instead of a page. */
  readonly unanswered: number
  readonly requests: number
  readonly seconds: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Counts while the crowd clicks. */
export class Tally {
  clicks = 0
  loginRedirects = 0
  strangers = 0
  stale = 0
  unanswered = 0
  readonly #latenciesMs: number[] = []

  answered(ms: number): void {
    this.#latenciesMs.push(ms)
  }

  figures(elapsedMs: number): Figures {
    const sorted = Float64Array.from(this.#latenciesMs).sort()
    const at = (share: number): number => round(sorted[Math.floor(share * sorted.length)] ?? 0)
    return {
      clicks: this.clicks,
      loginRedirects: this.loginRedirects,
      strangers: this.strangers,
      staleCarts: this.stale,
      unanswered: this.unanswered,
      requests: sorted.length,
      seconds: round(elapsedMs / 1_000),
      requestsPerSecond: Math.round(sorted.length / Math.max(elapsedMs / 1_000, 0.001)),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
    }
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
