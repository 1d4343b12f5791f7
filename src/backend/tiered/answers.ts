import type { Answer } from '../backend.js'
import { Patience } from '../patience.js'

/** Goes on at once where the answer is there at once, so that what a near backend in process answers stays synchronous. */
export function after<T, U>(answer: Answer<T>, next: (value: T) => Answer<U>): Answer<U> {
  return answer instanceof Promise ? answer.then(next) : next(answer)
}

/** What the promise comes to, or `late` when that takes longer. The promise goes on; it must not reject. */
export async function within<T, U>(promise: Promise<T>, ms: number, late: U): Promise<T | U> {
  if (ms === Infinity) return await promise
  let patience: Patience | undefined
  const timeout = new Promise<U>((resolve) => {
    patience = new Patience(ms, () => resolve(late))
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    patience?.end()
  }
}

/** Calls `act` for each item, so many at a time. Rejects with the first failure, when all that was begun has ended. */
export async function eachOf<T>(items: AsyncIterable<T>, atOnce: number, act: (item: T) => Promise<void>): Promise<void> {
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  try {
    for await (const item of items) {
      const one = act(item)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(one))
      running.add(one)
      if (running.size >= atOnce) await Promise.race(running)
      if (failures.length > 0) break
    }
  } finally {
    await Promise.all(running)
  }
  if (failures.length > 0) throw failures[0]
}
