import type { ContextEntry, Fragment, Kill, Revocation } from '../replica/events.js'
import type { Replica } from '../replica/replica.js'
import type { Dot } from '../session/session.js'

/** Everything a replica holds at one moment, as a disk would keep it. */
export interface Snapshot {
  readonly context: readonly ContextEntry[]
  readonly fragments: readonly Fragment[]
  readonly kills: readonly Kill[]
  readonly floor: readonly Dot[]
  readonly revocations: readonly Revocation[]
  readonly clock: number
}

export function takeSnapshot({ state }: Replica): Snapshot {
  return {
    context: state.context.entries(),
    fragments: [...state.live.values()].map((session) => session.fragment()),
    kills: [...state.kills.values()].map(({ birth, dot, reason }) => ({ birth, dot, reason })),
    floor: [...state.floor].map(([actor, counter]) => ({ actor, counter })),
    revocations: [...state.revocations.values()],
    clock: state.clock.last,
  }
}

/** Gives a fresh replica what another start of its node held: from now on it is a peer that was away for long. */
export function restore({ state }: Replica, snapshot: Snapshot): void {
  state.clock.observe(snapshot.clock)
  // Sessions first: what is merged into an empty context is taken over as it is.
  for (const fragment of snapshot.fragments) state.merge(fragment, 0)
  for (const kill of snapshot.kills) state.kills.set(kill.birth, { ...kill, storedAt: 0 })
  for (const revocation of snapshot.revocations) state.revoke(revocation)
  state.joinFloor(snapshot.floor)
  state.context.join(snapshot.context)
}
