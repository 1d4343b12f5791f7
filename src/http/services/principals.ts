import type { CommitOptions, SessionBackend } from '../../backend/backend.js'
import type { EndHandles } from '../../session/end-handle.js'
import { sameDot, type SessionRef } from '../../session/session.js'
import type { CommitChoice, CommitOutcome } from '../handle/session-types.js'

/** One session of a principal, as a page of devices shows it. Times are milliseconds since 1970. */
export interface PrincipalSession {
  readonly ref: SessionRef
  /** What `cluster.end` takes. Lets nobody in: it may stand in a form. */
  readonly handle: string
  readonly createdAt: number
  readonly lastAccessedAt: number
  /** The session of the request that asks. */
  readonly current: boolean
}

export interface LoggedOut {
  readonly outcome: CommitOutcome
  /** Sessions that this node knew of. */
  readonly sessions: number
}

/** The sessions of one user: listed, ended one by one, ended all at once. */
export class Principals {
  readonly #backend: SessionBackend
  readonly #handles: EndHandles

  constructor(backend: SessionBackend, handles: EndHandles) {
    this.#backend = backend
    this.#handles = handles
  }

  /** Live sessions, the one used last first. `current`: the session of the request that asks. */
  async sessionsOf(principal: string, current?: SessionRef): Promise<readonly PrincipalSession[]> {
    this.#assertPower()
    const sessions: PrincipalSession[] = []
    for (const ref of await this.#backend.find(principal)) {
      const record = await this.#backend.read(ref)
      if (record === undefined || record.principal !== principal) continue
      sessions.push({
        ref,
        handle: this.#handles.make(ref, principal),
        createdAt: record.createdAt,
        lastAccessedAt: record.lastAccessedAt,
        current: current !== undefined && sameDot(ref, current),
      })
    }
    return sessions.sort((a, b) => b.lastAccessedAt - a.lastAccessedAt)
  }

  /** Ends the session that a handle of `sessionsOf` speaks of. `gone`: it has ended, or the handle is none. */
  async end(handle: string, choice: CommitChoice = {}): Promise<CommitOutcome> {
    const ref = this.#handles.parse(handle)
    const principal = ref && (await this.#backend.read(ref))?.principal
    if (ref === undefined || principal === undefined || !this.#handles.isFor(handle, principal)) return 'gone'
    return (await this.#backend.destroy(ref, 'logged-out', optionsOf(choice))).outcome
  }

  /**
   * Ends every session of a principal, those this node has not heard of included. The one that is spared lets go of
   * its principal meanwhile, so that the revocation does not cover it.
   */
  async logOutEverywhere(principal: string, spared: SessionRef | undefined, choice: CommitChoice): Promise<LoggedOut> {
    this.#assertPower()
    const isTheirs = spared !== undefined && (await this.#backend.read(spared))?.principal === principal
    if (!isTheirs) return await this.#revoke(principal, optionsOf(choice))

    // Nobody waits for other nodes in between: only the last step does, and its confirmation covers the others.
    await this.#backend.save(spared, { writes: [], principal: null }, { acks: 'async' })
    const { sessions } = await this.#revoke(principal, { acks: 'async' })
    const { outcome } = await this.#backend.save(spared, { writes: [], principal }, optionsOf(choice))
    return { outcome: outcome === 'unknown' ? 'unknown' : 'done', sessions }
  }

  async #revoke(principal: string, options: CommitOptions): Promise<LoggedOut> {
    const { outcome, sessions } = await this.#backend.revoke(principal, options)
    return { outcome, sessions }
  }

  #assertPower(): void {
    if (!this.#backend.powers.principals) throw new Error(`the ${this.#backend.type} backend knows no principals`)
  }
}

function optionsOf({ acks, within }: CommitChoice): CommitOptions {
  return { ...(acks === undefined ? {} : { acks }), ...(within === undefined ? {} : { withinMs: within }) }
}
