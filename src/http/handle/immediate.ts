import { SessionGoneError } from '../../errors.js'
import type { SessionHandle } from './session-handle.js'

const scheduled = new WeakSet<SessionHandle>()

/**
 * Commits what is assigned to a session in this turn, once, when the turn is over (`flush: 'immediate'`). A failure is
 * met again by the commit that precedes the response, or by the one that the application waits for.
 */
export function commitThisTurn(handle: SessionHandle): void {
  if (scheduled.has(handle)) return
  scheduled.add(handle)
  queueMicrotask(() => {
    scheduled.delete(handle)
    if (handle.ended !== undefined) return
    commit(handle).catch((error: unknown) => {
      if (error instanceof SessionGoneError) handle.untold = error
    })
  })
}

async function commit(handle: SessionHandle): Promise<void> {
  await handle.operations.commit(handle, {})
}
