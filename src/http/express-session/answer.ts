import type { Answer } from '../../backend/backend.js'
import type { Callback } from './store-types.js'

/** Calls back when a callback was given, and never from within the call; else a promise is the answer. */
export function answer<T>(act: () => Answer<T>, callback: Callback<T> | undefined): Promise<T> | undefined {
  if (callback === undefined) return promised(act)
  try {
    const outcome = act()
    if (outcome instanceof Promise) {
      outcome.then(
        (value) => process.nextTick(callback, null, value),
        (error: unknown) => process.nextTick(callback, error),
      )
    } else process.nextTick(callback, null, outcome)
  } catch (error) {
    process.nextTick(callback, error)
  }
  return undefined
}

async function promised<T>(act: () => Answer<T>): Promise<T> {
  return await act()
}
