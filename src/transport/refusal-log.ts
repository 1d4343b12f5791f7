import type { Log } from '../log.js'
import type { Tally } from './tally.js'
import type { Refusal } from './transport.js'

/**
 * One line per rule and so long: a scanner at the gossip port must not fill the disk. Every refusal is
 * counted.
 */
const QUIET_MS = 10_000

const HINTS: Readonly<Record<string, string>> = {
  'tls-not-expected': 'TLS not expected: a TLS client dialled this plain port',
  'tls-expected': 'TLS expected: a plain client dialled this TLS port',
  tls: 'TLS handshake failed: the client showed no certificate that this node accepts',
}

/** Counts who was refused, and says so, but not too often. */
export class RefusalLog {
  readonly #tally: Tally
  readonly #log: Log
  readonly #now: () => number
  readonly #loggedAt = new Map<string, number>()

  constructor(tally: Tally, log: Log, now: () => number) {
    this.#tally = tally
    this.#log = log
    this.#now = now
  }

  /** Refused before it was a WebSocket. */
  stranger(rule: string, remote: string): void {
    this.#tally.refusedHandshake(rule)
    this.#say(rule, { rule, remote, detail: HINTS[rule] ?? '' })
  }

  /** Refused in the handshake, by us or by the peer. */
  handshake({ rule, detail }: Refusal, byPeer: boolean, remote: string): void {
    this.#tally.refusedHandshake(rule)
    this.#say(rule, { rule, remote, detail, by: byPeer ? 'peer' : 'us' })
  }

  #say(rule: string, fields: Readonly<Record<string, string>>): void {
    const now = this.#now()
    const last = this.#loggedAt.get(rule)
    if (last !== undefined && Math.abs(now - last) < QUIET_MS) return
    this.#loggedAt.set(rule, now)
    this.#log('warn', 'handshake-refused', fields)
  }
}
