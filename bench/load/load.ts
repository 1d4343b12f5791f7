/** What a load is, to the frame that measures it. */

/** Puts its load on, once, and says what came of it. */
export type Load<T extends LoadResult> = () => Promise<T>

export interface LoadResult {
  /** Operations that were answered as they should be, or wrongly; not those that failed. */
  readonly operations: number
  /** Answers that were not the last acknowledged value. */
  readonly wrong: number
  /** No answer, or one that says that something broke. */
  readonly failed: number
  /** Time that the answers took: of an open loop from the first to the last, of a closed one from its start. */
  readonly seconds: number
}

export const NO_LOAD: LoadResult = { operations: 0, wrong: 0, failed: 0, seconds: 0 }
