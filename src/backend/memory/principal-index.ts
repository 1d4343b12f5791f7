import { BoundedMap } from './bounded-map.js'

/** Revoked principals that are remembered, the oldest forgotten first. */
const REVOKED_MAX = 100_000

interface Owned {
  readonly principal: string | undefined
  /** Hybrid time at which the principal was set. */
  readonly principalSince: number | undefined
}

/** Which sessions are whose, and up to when all sessions of somebody are over. */
export class PrincipalIndex<T extends Owned> {
  readonly #owned = new Map<string, Set<T>>()
  readonly #revoked = new BoundedMap<string, number>(REVOKED_MAX)

  of(principal: string): readonly T[] {
    return [...(this.#owned.get(principal) ?? [])]
  }

  /** `before`: whose it was until now. */
  move(session: T, before: string | undefined): void {
    const { principal } = session
    if (principal === before) return
    this.drop(session, before)
    if (principal === undefined) return
    const sessions = this.#owned.get(principal)
    if (sessions === undefined) this.#owned.set(principal, new Set([session]))
    else sessions.add(session)
  }

  drop(session: T, principal: string | undefined): void {
    if (principal === undefined) return
    const sessions = this.#owned.get(principal)
    sessions?.delete(session)
    if (sessions?.size === 0) this.#owned.delete(principal)
  }

  /** Every session whose principal was set to `principal` at or before `hlc` is over, imports to come included. */
  revoke(principal: string, hlc: number): void {
    this.#revoked.set(principal, hlc)
  }

  isRevoked({ principal, principalSince }: Owned): boolean {
    const until = principal === undefined ? undefined : this.#revoked.get(principal)
    return until !== undefined && (principalSince ?? 0) <= until
  }
}
