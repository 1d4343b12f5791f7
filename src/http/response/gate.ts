import type { ResponseHeader } from '../carriers/carrier.js'

/** Who has something to do before the headers of a response leave. Answers at once, or lets the response wait. */
export interface GateKeeper {
  /** Called once, by the first call that would send headers. What it throws goes to `fail`. */
  beforeHeaders(): Promise<void> | undefined
  /** Headers to add. Called when they leave. */
  headersLeave(): readonly ResponseHeader[]
  /** Called by `end` when the headers had left before. */
  beforeEnd(): Promise<void> | undefined
  commitFailed(error: unknown): void
  lateCommitFailed(error: unknown): void
}

/** What stands before the four methods of a response that send something. */
export interface Gate {
  /** Whether calls come here through the prototype of all responses, and not through this one alone. */
  readonly isInnermost: boolean
  /** Whether `end` was called before any headers were sent, and waits for a commit. */
  readonly holdsEnd: boolean
  writeHead(args: unknown[]): unknown
  write(args: unknown[]): unknown
  flushHeaders(args: unknown[]): void
  end(args: unknown[]): unknown
  /**
   * What the first call that sends headers would do, done before it: for containers with a better place for an error
   * than `fail`. Throws or rejects with that; the response is then as if it had no gate.
   */
  commit(): Promise<void> | undefined
}
