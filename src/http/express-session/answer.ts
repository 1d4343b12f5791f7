import type { Callback } from './store-types.js'

/** Calls back when a callback was given, and never from within the call; else the promise is the answer. */
export function answer<T>(outcome: Promise<T>, callback: Callback<T> | undefined): Promise<T> | undefined {
  if (callback === undefined) return outcome
  outcome.then(
    (value) => process.nextTick(callback, null, value),
    (error: unknown) => process.nextTick(callback, error),
  )
  return undefined
}
