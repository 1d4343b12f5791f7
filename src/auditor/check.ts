/** One check of a store, and what comes of it. */
import type { Calls } from './calls.js'
import type { Site, SiteOptions } from './site.js'
import type { Audited } from './store.js'

export interface Check {
  /** For `--only`. */
  readonly name: string
  /** What is promised. */
  readonly title: string
  /** What goes wrong where it is broken, and who can mend it. */
  readonly why: string
  readonly run: (context: CheckContext) => Promise<Outcome>
}

export type Outcome = Counted | NotTried

export interface Counted {
  readonly type: 'counted'
  readonly trials: number
  readonly failures: number
  /** What else is worth knowing, such as the first error. */
  readonly note?: string
}

export interface NotTried {
  readonly type: 'not-tried'
  readonly why: string
}

export interface CheckContext {
  readonly audited: Audited
  /** Its store, called directly. */
  readonly calls: Calls
  /** How often what depends on luck is tried. */
  readonly trials: number
  /** A site on the store, and where there is another node, one on that; closed after the check. */
  readonly sites: (options?: Pick<SiteOptions, 'resave' | 'maxAgeMs'>) => Promise<readonly [Site, Site]>
  readonly now: () => number
  readonly wait: (ms: number) => Promise<void>
  /** An id as express-session makes them. */
  readonly newId: () => string
}

/** Trials at one time. */
const WIDTH = 16
/** A trial that takes longer has failed: a request or a callback never came back. */
const TRIAL_WITHIN_MS = 10_000

/** Counts trials that answer whether the fault was seen; `void` when that cannot be told. */
export async function count(
  trials: number,
  trial: (index: number) => Promise<boolean | 'void'>,
): Promise<Counted> {
  let tried = 0
  let failures = 0
  let firstError: string | undefined
  let next = 0
  const one = async (index: number): Promise<void> => {
    const outcome = await within(TRIAL_WITHIN_MS, trial(index)).catch((error: unknown) => {
      firstError ??= error instanceof Error ? error.message : String(error)
      return true
    })
    if (outcome === 'void') return
    tried++
    if (outcome) failures++
  }
  const worker = async (): Promise<void> => {
    while (next < trials) await one(next++)
  }
  await Promise.all(Array.from({ length: Math.min(WIDTH, trials) }, worker))
  const note = tried === 0 ? 'the machine was too busy for any trial to count' : firstError
  return { type: 'counted', trials: tried, failures, ...(note === undefined ? {} : { note }) }
}

/** The promise, or a failure after so long. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Until so many have come, everybody waits. */
export function gate(wanted: number): () => Promise<void> {
  let waiting = 0
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return async () => {
    if (++waiting === wanted) open()
    await opened
  }
}
