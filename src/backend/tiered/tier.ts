import type { SessionBackend } from '../backend.js'

/** What differs between the two ways to put one backend before another; TieredBackend does the rest. */
export type Tier = Pick<
  SessionBackend,
  | 'powers'
  | 'load'
  | 'read'
  | 'create'
  | 'save'
  | 'rotate'
  | 'destroy'
  | 'touch'
  | 'find'
  | 'revoke'
  | 'exportAll'
  | 'exportOne'
  | 'importOne'
  | 'size'
  | 'subscribe'
> & {
  /** Begins with whatever works by itself; both backends are open. */
  open(): void
  /** Stops hearing of the backends, which may live on: what comes now nobody could write any more. */
  close(): void
  /** The far backend answers again after it did not. */
  recovered(): void
  /** Why not every session can be served; undefined: every one can. */
  missing(): string | undefined
  /** Called with every flush. */
  tick(): void
  counters(): Readonly<Record<string, number>>
}
