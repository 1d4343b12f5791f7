import type { Answer, SessionBackend, SessionEvent } from '../../backend/backend.js'
import { LimitError } from '../../errors.js'
import type { Log } from '../../log.js'
import { sameDot, type SessionRecord, type SessionRef } from '../../session/session.js'
import { andThen } from '../answer.js'

export interface MaxSessions {
  /** Live sessions of one principal at most. */
  readonly perPrincipal: number
  /** One more: its login fails with LimitError (status 409), or the oldest of the others is ended. */
  readonly policy: 'refuse' | 'oldest-out'
}

/** Time for the node of a login to make room itself, before the others look whether it did, milliseconds. */
const SETTLE_AFTER_MS = 1_000
/** Principals to look at in one round; more are looked at when they log in again. */
const UNSETTLED_MAX = 100_000

/**
 * Keeps principals to so many sessions. Exact for logins on one node. Two nodes can let one in each at the same time;
 * with `oldest-out` every node then ends the same ones, as soon as it has heard of both.
 */
export class PrincipalLimit {
  readonly #backend: SessionBackend
  readonly #limit: MaxSessions
  readonly #log: Log
  readonly #unsettled = new Set<string>()
  #settling: NodeJS.Timeout | undefined
  #unsubscribe: (() => void) | undefined

  constructor(backend: SessionBackend, limit: MaxSessions, log: Log) {
    this.#backend = backend
    this.#limit = limit
    this.#log = log
  }

  /** Begins to hear of logins on other nodes. */
  open(): void {
    if (this.#limit.policy !== 'oldest-out' || this.#backend.powers.events !== 'cluster') return
    this.#unsubscribe ??= this.#backend.subscribe((event) => this.#hear(event))
  }

  close(): void {
    this.#unsubscribe?.()
    clearTimeout(this.#settling)
  }

  /** Does what gives a session to `principal`, within the limit. `refOf`: that session, if it exists yet. */
  within<T>(principal: string, refOf: () => SessionRef | undefined, act: () => Answer<T>): Answer<T> {
    return andThen(this.#admit(principal, refOf()), () => {
      if (this.#limit.policy === 'refuse') return act()
      return andThen(act(), (result) => andThen(this.#makeRoom(principal, refOf()), () => result))
    })
  }

  #admit(principal: string, ref: SessionRef | undefined): Answer<void> {
    if (this.#limit.policy !== 'refuse') return undefined
    return andThen(this.#backend.find(principal), (refs) => {
      const others = refs.filter((other) => ref === undefined || !sameDot(other, ref))
      if (others.length < this.#limit.perPrincipal) return
      const { perPrincipal } = this.#limit
      throw new LimitError(`this principal has ${perPrincipal} sessions already (maxSessions.perPrincipal)`, 409)
    })
  }

  /** Ends the oldest, without `ref`, which just came. */
  #makeRoom(principal: string, ref: SessionRef | undefined): Answer<void> {
    return andThen(this.#backend.find(principal), (refs) => {
      const excess = refs.length - this.#limit.perPrincipal
      if (excess <= 0) return undefined
      const others = refs.filter((other) => ref === undefined || !sameDot(other, ref))
      return this.#endOldest(others, excess)
    })
  }

  async #endOldest(refs: readonly SessionRef[], count: number): Promise<void> {
    const held: Held[] = []
    for (const ref of refs) {
      const record = await this.#backend.read(ref)
      if (record !== undefined) held.push({ ref, record })
    }
    held.sort(byAge)
    await Promise.all(held.slice(0, count).map(async ({ ref }) => await this.#backend.destroy(ref, 'logged-out', {})))
  }

  // ── What other nodes let in ─────────────────────────────────────────────────────────────────────────────────────

  #hear(event: SessionEvent): void {
    if (event.local || (event.type !== 'created' && event.type !== 'rotated')) return
    this.#settleSoon(event.ref).catch((error: unknown) => this.#failed(error))
  }

  async #settleSoon(ref: SessionRef): Promise<void> {
    const principal = (await this.#backend.read(ref))?.principal
    if (principal === undefined || this.#unsettled.size >= UNSETTLED_MAX) return
    this.#unsettled.add(principal)
    this.#settling ??= setTimeout(() => this.#settleAll(), SETTLE_AFTER_MS).unref()
  }

  #settleAll(): void {
    this.#settling = undefined
    const principals = [...this.#unsettled]
    this.#unsettled.clear()
    for (const principal of principals) this.#settle(principal).catch((error: unknown) => this.#failed(error))
  }

  /** The same everywhere: whoever looks ends the same sessions. */
  async #settle(principal: string): Promise<void> {
    const refs = await this.#backend.find(principal)
    const excess = refs.length - this.#limit.perPrincipal
    if (excess > 0) await this.#endOldest(refs, excess)
  }

  #failed(error: unknown): void {
    this.#log('warn', 'max-sessions-not-settled', { detail: error instanceof Error ? error.message : String(error) })
  }
}

interface Held {
  readonly ref: SessionRef
  readonly record: SessionRecord
}

/** Who logged in first is the oldest, as far as the backend can tell; all nodes agree. */
function byAge({ record: a, ref: refA }: Held, { record: b, ref: refB }: Held): number {
  return (
    (a.principalSince ?? 0) - (b.principalSince ?? 0) ||
    a.createdAt - b.createdAt ||
    refA.actor - refB.actor ||
    refA.counter - refB.counter
  )
}
